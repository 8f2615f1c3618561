import type { Clock } from '@lastframe/shared/process/clock';

/**
 * An estimate of Redis's clock: its offset from our monotonic clock was within `[lowMs, highMs]` at
 * `atMonoMs`.
 */
export interface ClockWindow {
  lowMs: number;
  highMs: number;
  atMonoMs: number;
}

/** One reading: Redis's clock showed `redisMs` somewhere between the request and the reply. */
export interface ClockReading {
  redisMs: number;
  sentMonoMs: number;
  receivedMonoMs: number;
}

/** Two good clocks drift apart more slowly than this; faster drift counts as a step. */
const DRIFT = 0.001;
/** Timer granularity and scheduling noise. */
const SLACK_MS = 5;

/**
 * Narrows the window with a reading, or reports that Redis's clock has stepped since the last. A
 * reading outside the window but within the slack leaves the window unchanged: otherwise a clock
 * that creeps a little at each reading would never be detected.
 */
export function observeClock(
  known: ClockWindow | undefined,
  reading: ClockReading,
): { stepped: true } | { stepped: false; window: ClockWindow } {
  const seen = windowOf(reading);
  if (!known) return { stepped: false, window: seen };
  const drifted = driftMs(known, seen.atMonoMs);
  const lowMs = Math.max(known.lowMs - drifted, seen.lowMs);
  const highMs = Math.min(known.highMs + drifted, seen.highMs);
  if (lowMs > highMs + SLACK_MS) return { stepped: true };
  const narrowed = lowMs <= highMs;
  return {
    stepped: false,
    window: narrowed ? { ...seen, lowMs, highMs } : known,
  };
}

function windowOf({ redisMs, sentMonoMs, receivedMonoMs }: ClockReading): ClockWindow {
  // Redis truncates to whole milliseconds: the time was between redisMs and redisMs + 1.
  return {
    lowMs: redisMs - receivedMonoMs,
    highMs: redisMs + 1 - sentMonoMs,
    atMonoMs: receivedMonoMs,
  };
}

/** Estimates Redis's time now. Good for buckets and ages, not for permits. */
export function redisNowMs(window: ClockWindow, monoMs: number): number {
  return Math.round(monoMs + (window.lowMs + window.highMs) / 2);
}

function driftMs(known: ClockWindow, nowMonoMs: number): number {
  return Math.max(0, nowMonoMs - known.atMonoMs) * DRIFT;
}

/** The time of one Redis, extrapolated between its replies with the local monotonic clock. */
export interface RedisTime {
  observe(reading: ClockReading): void;
  /** Undefined until the first reply. */
  nowMs(): number | undefined;
}

/** For buckets and ages, not for permits: after a step it starts over. */
export function createRedisTime(clock: Pick<Clock, 'monoMs'>): RedisTime {
  let window: ClockWindow | undefined;
  return {
    observe: (reading) => {
      const seen = observeClock(window, reading);
      window = seen.stepped ? windowOf(reading) : seen.window;
    },
    nowMs: () => window && redisNowMs(window, clock.monoMs()),
  };
}

/** The frames Redis's time; this machine's wall clock until the first reply. */
export interface FramesClock extends RedisTime {
  nowMs(): number;
}

export function createFramesClock(clock: Pick<Clock, 'monoMs' | 'wallMs'>): FramesClock {
  const time = createRedisTime(clock);
  return { observe: time.observe, nowMs: () => time.nowMs() ?? clock.wallMs() };
}
