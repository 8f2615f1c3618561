import { expect, it } from 'vitest';
import { createConcurrencyLimit } from './concurrency-limit.ts';

it('a limited amount of work runs at once, the rest in order, whatever fails', async () => {
  const inTurn = createConcurrencyLimit(2);
  const started: number[] = [];
  const tasks = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
  const results = tasks.map(({ promise }, n) =>
    inTurn(() => {
      started.push(n);
      return promise;
    }).catch(() => -1),
  );
  await expect.poll(() => started).toEqual([0, 1]);
  tasks[1]?.reject(new Error('broken'));
  await expect.poll(() => started).toEqual([0, 1, 2]);
  for (const [n, { resolve }] of tasks.entries()) resolve(n);
  expect(await Promise.all(results)).toEqual([0, -1, 2, 3, 4]);
  expect(await inTurn(async () => 5)).toBe(5);
});
