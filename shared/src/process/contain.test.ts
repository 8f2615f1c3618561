import { expect, it } from 'vitest';
import { catchUncaught } from '../../../testing/test-uncaught.ts';
import { contain } from './contain.ts';

it('lets the next piece of work run, and hands the error to the last resort', async () => {
  const uncaught = catchUncaught();
  const done: string[] = [];
  const broken = new Error('broken');
  for (const name of ['first', 'second', 'third']) {
    contain(() => {
      if (name === 'second') throw broken;
      done.push(name);
    });
  }
  expect(done).toEqual(['first', 'third']);
  await expect.poll(() => uncaught).toEqual([broken]);
});
