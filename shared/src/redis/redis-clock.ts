import type { Clock } from '@lastframe/shared/process/clock';

/**
 * What is known of Redis's clock: its distance to our monotonic clock lies within `[lowMs, highMs]`,
 * as seen at `atMonoMs`.
 */
export interface ClockWindow {
  lowMs: number;
  highMs: number;
  atMonoMs: number;
}

/** One reading: Redis said `redisMs` somewhere between sending (`sentMonoMs`) and the reply. */
export interface ClockReading {
  redisMs: number;
  sentMonoMs: number;
  receivedMonoMs: number;
}

/** Two good clocks drift apart by less than this; a faster one is taken for a step. */
const DRIFT = 0.001;
/** Timer granularity and scheduling noise. */
const SLACK_MS = 5;

/**
 * Narrows the window by a reading, or tells that Redis's clock has stepped since the last one.
 * A reading within the slack but outside the window leaves the window as it was: otherwise a clock
 * that creeps a little at each reading would never be noticed.
 */
export function observeClock(
  known: ClockWindow | undefined,
  { redisMs, sentMonoMs, receivedMonoMs }: ClockReading,
): { stepped: true } | { stepped: false; window: ClockWindow } {
  // Redis gives whole milliseconds, cut off: it was between redisMs and redisMs + 1.
  const seen = { lowMs: redisMs - receivedMonoMs, highMs: redisMs + 1 - sentMonoMs };
  if (!known) return { stepped: false, window: { ...seen, atMonoMs: receivedMonoMs } };
  const drifted = driftMs(known, receivedMonoMs);
  const lowMs = Math.max(known.lowMs - drifted, seen.lowMs);
  const highMs = Math.min(known.highMs + drifted, seen.highMs);
  if (lowMs > highMs + SLACK_MS) return { stepped: true };
  const narrowed = lowMs <= highMs;
  return {
    stepped: false,
    window: narrowed ? { lowMs, highMs, atMonoMs: receivedMonoMs } : known,
  };
}

/** Redis's time now, by the middle of the window. Good for buckets and ages, not for permits. */
export function redisNowMs(window: ClockWindow, monoMs: number): number {
  return Math.round(monoMs + (window.lowMs + window.highMs) / 2);
}

function driftMs(known: ClockWindow, nowMonoMs: number): number {
  return Math.max(0, nowMonoMs - known.atMonoMs) * DRIFT;
}

/** The frames Redis's time, carried on between its answers by the local monotonic clock. */
export interface FramesClock {
  observe(reading: ClockReading): void;
  /** By this machine's wall clock until the frames Redis has answered once. */
  nowMs(): number;
}

export function createFramesClock(clock: Pick<Clock, 'monoMs' | 'wallMs'>): FramesClock {
  let window: ClockWindow | undefined;
  return {
    observe: (reading) => {
      const seen = observeClock(window, reading);
      // A clock that steps is followed: all that it says is how old something is.
      const next = seen.stepped ? observeClock(undefined, reading) : seen;
      window = next.stepped ? undefined : next.window;
    },
    nowMs: () => (window ? redisNowMs(window, clock.monoMs()) : clock.wallMs()),
  };
}
