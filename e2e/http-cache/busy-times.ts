import { performance } from 'node:perf_hooks';
import type { Pause } from '../support/checker.ts';

export interface BusyTimes {
  all(): readonly Pause[];
  close(): void;
}

const TICK_MS = 5;
/** Ticks are a little late at the best of times. */
const NOTABLE_MS = 15;

/**
 * Notes when this process had no moment to spare. An event loop accepts one connection per turn: with
 * a hundred cameras asked at once, the last call is seen many turns after it came.
 */
export function watchBusyTimes(): BusyTimes {
  const busy: Pause[] = [];
  const look = () => ({ atMs: performance.now(), idleMs: performance.nodeTiming.idleTime });
  let last = look();
  const timer = setInterval(() => {
    const now = look();
    const isBusy = now.idleMs === last.idleMs || now.atMs - last.atMs > NOTABLE_MS;
    if (isBusy) busy.push({ fromMs: last.atMs, toMs: now.atMs });
    last = now;
  }, TICK_MS);
  return { all: () => busy, close: () => clearInterval(timer) };
}
