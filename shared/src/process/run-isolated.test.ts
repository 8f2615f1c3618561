import { expect, it } from 'vitest';
import { catchUncaught } from '../../../testing/checks/test-uncaught.ts';
import { runIsolated } from './run-isolated.ts';

it('lets the next piece of work run, and passes the error to the uncaught-error handler', async () => {
  const uncaught = catchUncaught();
  const done: string[] = [];
  const broken = new Error('broken');
  for (const name of ['first', 'second', 'third']) {
    runIsolated(() => {
      if (name === 'second') throw broken;
      done.push(name);
    });
  }
  expect(done).toEqual(['first', 'third']);
  await expect.poll(() => uncaught).toEqual([broken]);
});
