import { onTestFinished } from 'vitest';

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** What nobody caught from now on, which would fail the run; until the test is over. */
export function catchUncaught(): unknown[] {
  const caught: unknown[] = [];
  const note = (error: unknown) => void caught.push(error);
  for (const event of EVENTS) {
    const usual = process.listeners(event as 'uncaughtException');
    process.removeAllListeners(event);
    process.on(event, note);
    onTestFinished(() => {
      process.off(event, note);
      for (const listener of usual) process.on(event, listener);
    });
  }
  return caught;
}
