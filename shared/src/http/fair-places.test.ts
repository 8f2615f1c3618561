import { expect, it } from 'vitest';
import { createFairPlaces } from './fair-places.ts';

it('one client can take half of all, the next half of the rest, and others still get one', () => {
  const places = createFairPlaces(1000);
  const takeAll = (client: string) => {
    let taken = 0;
    for (; places.limitReached(client) === undefined; taken += 1) places.take(client);
    return taken;
  };
  expect([takeAll('greedy'), takeAll('second')]).toEqual([501, 250]);
  for (let n = 0; n < 200; n += 1) {
    expect(places.limitReached(`client-${n}`)).toBeUndefined();
    places.take(`client-${n}`);
  }
});

it('when none is left no client gets one, until one is released', () => {
  const places = createFairPlaces(2);
  const release = places.take('a');
  places.take('a');
  expect([places.taken(), places.limitReached('b')]).toEqual([2, 'all']);
  release();
  release();
  expect([places.taken(), places.limitReached('b')]).toEqual([1, undefined]);
});

it('several places are granted together or not at all', () => {
  const places = createFairPlaces(100);
  expect([
    places.limitReached('a', 101),
    places.limitReached('a', 52),
    places.limitReached('a', 51),
  ]).toEqual(['all', 'client', undefined]);
});
