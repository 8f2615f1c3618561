import { expect, it } from 'vitest';
import { createFairPlaces } from './fair-places.ts';

it('one client can take half of all, the next half of the rest, and others still get theirs', () => {
  const places = createFairPlaces(1000);
  const takeAll = (client: string) => {
    let taken = 0;
    for (; places.fullFor(client) === undefined; taken += 1) places.take(client);
    return taken;
  };
  expect([takeAll('greedy'), takeAll('second')]).toEqual([501, 250]);
  for (let n = 0; n < 200; n += 1) {
    expect(places.fullFor(`client-${n}`)).toBeUndefined();
    places.take(`client-${n}`);
  }
});

it('when none is left nobody gets one, until one is given back', () => {
  const places = createFairPlaces(2);
  const giveBack = places.take('a');
  places.take('a');
  expect([places.taken(), places.fullFor('b')]).toEqual([2, 'all']);
  giveBack();
  giveBack();
  expect([places.taken(), places.fullFor('b')]).toEqual([1, undefined]);
});

it('several places are had together or not at all', () => {
  const places = createFairPlaces(100);
  expect([places.fullFor('a', 101), places.fullFor('a', 52), places.fullFor('a', 51)]).toEqual([
    'all',
    'client',
    undefined,
  ]);
});
