import { expect, it } from 'vitest';
import { createTurns } from './turns.ts';

it('so much work runs at once, the rest in its order, whatever fails', async () => {
  const inTurn = createTurns(2);
  const begun: number[] = [];
  const works = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
  const results = works.map(({ promise }, n) =>
    inTurn(() => {
      begun.push(n);
      return promise;
    }).catch(() => -1),
  );
  await expect.poll(() => begun).toEqual([0, 1]);
  works[1]?.reject(new Error('broken'));
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  for (const [n, { resolve }] of works.entries()) resolve(n);
  expect(await Promise.all(results)).toEqual([0, -1, 2, 3, 4]);
  expect(await inTurn(async () => 5)).toBe(5);
});
