import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Pauses, recordPauses } from './pauses.ts';

const PATIENT = { timeout: 10_000 };
let pauses: Pauses;

beforeEach(() => {
  pauses = recordPauses();
});
afterEach(() => pauses.close());

/** Waits for a recorded pause that covers all of that time. */
const waitForPause = (fromMs: number, toMs: number) =>
  vi.waitFor(() => {
    const pause = pauses.all().find((one) => one.fromMs <= fromMs && one.toMs >= toMs);
    if (!pause) throw new Error(`no pause from ${fromMs} to ${toMs}`);
    return pause;
  }, PATIENT);

it('records how long the process was blocked', async () => {
  const fromMs = performance.now();
  work(60);
  await waitForPause(fromMs, fromMs + 60);
});

it('records a run of short turns without idle time as one pause', async () => {
  const fromMs = performance.now();
  while (performance.now() - fromMs < 200) {
    work(2);
    await turn();
  }
  // The first tick in it may still see the idle time before it, and the last one that after it.
  await waitForPause(fromMs + 50, fromMs + 150);
});

it('records two pauses if it was idle between them', async () => {
  // On a busy machine it may not get to be idle in between.
  await vi.waitFor(async () => {
    const fromMs = performance.now();
    work(30);
    const first = await waitForPause(fromMs, fromMs + 30);
    await vi.waitFor(() => expect(performance.now() - first.toMs).toBeGreaterThan(20), PATIENT);
    const againMs = performance.now();
    work(30);
    await waitForPause(againMs, againMs + 30);
    expect(first.toMs).toBeLessThan(againMs);
  }, PATIENT);
});

function work(forMs: number): void {
  const fromMs = performance.now();
  while (performance.now() - fromMs < forMs) {
    // busy on purpose: nothing else runs meanwhile
  }
}
