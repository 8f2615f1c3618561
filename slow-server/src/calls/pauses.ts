import { performance } from 'node:perf_hooks';

/** A time in which this process could not handle all events, on its monotonic clock. */
export interface Pause {
  fromMs: number;
  toMs: number;
}

export interface Pauses {
  all: () => readonly Readonly<Pause>[];
  close: () => void;
}

const TICK_MS = 5;
/** Ticks are always a little late. */
const MIN_PAUSE_MS = 15;
const CAPACITY = 20_000;

/**
 * Records when the process was not scheduled, or was never idle. A call that begins in or right
 * after such a pause may have arrived at any time in it. An event loop accepts one connection per
 * turn: of many that arrive at once, it sees the last many short turns later. Only an idle loop has
 * seen them all.
 */
export function recordPauses(clockMs: () => number = () => performance.now()): Pauses {
  const pauses: Pause[] = [];
  const sample = () => ({ atMs: clockMs(), waitedMs: performance.nodeTiming.idleTime });
  let last = sample();
  const timer = setInterval(() => {
    const now = sample();
    const neverWaited = now.waitedMs === last.waitedMs;
    if (neverWaited || now.atMs - last.atMs > MIN_PAUSE_MS) addPause(pauses, last.atMs, now.atMs);
    last = now;
  }, TICK_MS);
  timer.unref();
  return { all: () => pauses, close: () => clearInterval(timer) };
}

function addPause(pauses: Pause[], fromMs: number, toMs: number): void {
  const lastPause = pauses.at(-1);
  if (lastPause?.toMs === fromMs) lastPause.toMs = toMs;
  else pauses.push({ fromMs, toMs });
  if (pauses.length > CAPACITY) pauses.shift();
}
