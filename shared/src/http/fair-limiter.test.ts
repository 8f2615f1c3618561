import { expect, it } from 'vitest';
import { createFairLimiter } from './fair-limiter.ts';

it('one client can take half of all, the next half of the rest, and others still get one', () => {
  const limiter = createFairLimiter(1000);
  const takeAll = (client: string) => {
    let taken = 0;
    for (; limiter.limitReached(client) === undefined; taken += 1) limiter.take(client);
    return taken;
  };
  expect([takeAll('greedy'), takeAll('second')]).toEqual([501, 250]);
  for (let n = 0; n < 200; n += 1) {
    expect(limiter.limitReached(`client-${n}`)).toBeUndefined();
    limiter.take(`client-${n}`);
  }
});

it('when none is left no client gets one, until one is released', () => {
  const limiter = createFairLimiter(2);
  const release = limiter.take('a');
  limiter.take('a');
  expect([limiter.taken(), limiter.limitReached('b')]).toEqual([2, 'all']);
  release();
  release();
  expect([limiter.taken(), limiter.limitReached('b')]).toEqual([1, undefined]);
});

it('several slots are granted together or not at all', () => {
  const limiter = createFairLimiter(100);
  expect([
    limiter.limitReached('a', 101),
    limiter.limitReached('a', 52),
    limiter.limitReached('a', 51),
  ]).toEqual(['all', 'client', undefined]);
});
