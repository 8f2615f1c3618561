import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Pauses, watchPauses } from './pauses.ts';

const PATIENT = { timeout: 10_000 };
let pauses: Pauses;

beforeEach(() => {
  pauses = watchPauses();
});
afterEach(() => pauses.close());

/** The pause in which all of that time lies, when it is noted. */
const noted = (fromMs: number, toMs: number) =>
  vi.waitFor(() => {
    const pause = pauses.all().find((one) => one.fromMs <= fromMs && one.toMs >= toMs);
    if (!pause) throw new Error(`no pause from ${fromMs} to ${toMs}`);
    return pause;
  }, PATIENT);

it('notes how long the process could not look', async () => {
  const fromMs = performance.now();
  work(60);
  await noted(fromMs, fromMs + 60);
});

it('notes a row of short turns without a moment to wait as one pause', async () => {
  const fromMs = performance.now();
  while (performance.now() - fromMs < 200) {
    work(2);
    await turn();
  }
  // The first tick in it may still have seen the wait before it, and the last one the wait after it.
  await noted(fromMs + 50, fromMs + 150);
});

it('notes two pauses, when it could look between them', async () => {
  const fromMs = performance.now();
  work(30);
  const first = await noted(fromMs, fromMs + 30);
  await vi.waitFor(() => expect(performance.now() - first.toMs).toBeGreaterThan(20), PATIENT);
  const againMs = performance.now();
  work(30);
  await noted(againMs, againMs + 30);
  expect(first.toMs).toBeLessThan(againMs);
});

function work(forMs: number): void {
  const fromMs = performance.now();
  while (performance.now() - fromMs < forMs) {
    // busy on purpose: nothing else runs meanwhile
  }
}
