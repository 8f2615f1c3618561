/** A time in which this process did not run, on its monotonic clock. */
export interface Pause {
  fromMs: number;
  toMs: number;
}

export interface Pauses {
  all: () => readonly Pause[];
  close: () => void;
}

const TICK_MS = 5;
/** Ticks are a little late at the best of times. */
const NOTABLE_MS = 15;
const CAPACITY = 20_000;

/**
 * Notes when the process was too busy, or not let run, to notice what reached it: what the call log
 * says began right after such a pause may have come at any time in it.
 */
export function watchPauses(): Pauses {
  const pauses: Pause[] = [];
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    if (nowMs - lastMs > NOTABLE_MS) pauses.push({ fromMs: lastMs, toMs: nowMs });
    if (pauses.length > CAPACITY) pauses.shift();
    lastMs = nowMs;
  }, TICK_MS);
  timer.unref();
  return { all: () => pauses, close: () => clearInterval(timer) };
}
