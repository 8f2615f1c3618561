import { performance } from 'node:perf_hooks';

/** A time in which this process could not look at all that had come, on its monotonic clock. */
export interface Pause {
  fromMs: number;
  toMs: number;
}

export interface Pauses {
  all: () => readonly Readonly<Pause>[];
  close: () => void;
}

const TICK_MS = 5;
/** Ticks are a little late at the best of times. */
const NOTABLE_MS = 15;
const CAPACITY = 20_000;

/**
 * Notes when the process was not let run, or had no moment to spare: what the call log says began in
 * such a pause, or right after it, may have come at any time in it. An event loop accepts one
 * connection per turn: of many that come at once the last is seen many short turns later, and only
 * when the loop had to wait had it seen them all.
 */
export function watchPauses(clockMs: () => number = () => performance.now()): Pauses {
  const pauses: Pause[] = [];
  const look = () => ({ atMs: clockMs(), waitedMs: performance.nodeTiming.idleTime });
  let last = look();
  const timer = setInterval(() => {
    const now = look();
    const neverWaited = now.waitedMs === last.waitedMs;
    if (neverWaited || now.atMs - last.atMs > NOTABLE_MS) note(pauses, last.atMs, now.atMs);
    last = now;
  }, TICK_MS);
  timer.unref();
  return { all: () => pauses, close: () => clearInterval(timer) };
}

function note(pauses: Pause[], fromMs: number, toMs: number): void {
  const before = pauses.at(-1);
  if (before?.toMs === fromMs) before.toMs = toMs;
  else pauses.push({ fromMs, toMs });
  if (pauses.length > CAPACITY) pauses.shift();
}
