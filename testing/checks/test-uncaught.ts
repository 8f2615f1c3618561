import { onTestFinished } from 'vitest';

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** Collects uncaught errors until the test ends, instead of failing the run. */
export function catchUncaught(): unknown[] {
  const caught: unknown[] = [];
  const record = (error: unknown) => void caught.push(error);
  for (const event of EVENTS) {
    const originalListeners = process.listeners(event as 'uncaughtException');
    process.removeAllListeners(event);
    process.on(event, record);
    onTestFinished(() => {
      process.off(event, record);
      for (const listener of originalListeners) process.on(event, listener);
    });
  }
  return caught;
}
