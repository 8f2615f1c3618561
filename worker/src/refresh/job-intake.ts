import type { Clock } from '@lastframe/shared/process/clock';

/** The place of one job in this worker. Each function may be called again. */
export interface JobPlace {
  /** The job is here and begins. */
  begin(): void;
  /** Its permit is granted or denied: what follows is the camera's time. */
  started(): void;
  end(): void;
}

/**
 * Decides how many jobs this worker takes. Besides `concurrency`, it limits those that wait for
 * their permits: what a worker cannot start in time is better left to others. That limit follows
 * the time from the beginning of a job to its permit, all of which is this worker's and Redis's own.
 */
export interface JobIntake {
  /** Reserves a place for one more job; undefined if no more should be taken now. */
  reserve(): JobPlace | undefined;
  /** Resolves once `reserve` has a place. */
  free(): Promise<void>;
  /** Recent average time from the beginning of a job to its permit, in ms. */
  startMs(): number;
  /** How many jobs may wait for their permits at once. */
  startLimit(): number;
  /** Returns why this worker takes fewer jobs than it could, in one sentence; undefined if not. */
  whyOverloaded(): string | undefined;
}

/** Takes a few milliseconds on a machine that keeps up. */
const TARGET_MS = 100;
const FIRST_LIMIT = 16;
const LEAST_LIMIT = 4;
const GROW = 1.25;
const SHRINK = 0.8;
const WEIGHT = 0.1;
/** A moment's delay says nothing. */
const OVERLOADED_MS = 10_000;

export function createJobIntake(clock: Pick<Clock, 'monoMs'>, concurrency: number): JobIntake {
  let limit = Math.min(FIRST_LIMIT, concurrency);
  let starting = 0;
  let taken = 0;
  let startMs = 0;
  let shrunkMonoMs = Number.NEGATIVE_INFINITY;
  let wasFull = false;
  let samples = { count: 0, ms: 0 };
  let waiting: (() => void)[] = [];

  /** Once per `limit` jobs, which is about once per round trip. */
  const adapt = (tookMs: number) => {
    startMs += WEIGHT * (tookMs - startMs);
    samples = { count: samples.count + 1, ms: samples.ms + tookMs };
    if (samples.count < limit) return;
    if (samples.ms > TARGET_MS * samples.count) {
      limit = Math.max(Math.min(LEAST_LIMIT, concurrency), Math.floor(limit * SHRINK));
      shrunkMonoMs = clock.monoMs();
    } else if (wasFull) limit = Math.min(concurrency, Math.ceil(limit * GROW));
    samples = { count: 0, ms: 0 };
    wasFull = false;
  };
  const isFree = () => {
    if (starting >= limit) wasFull = true;
    return starting < limit && taken < concurrency;
  };
  const wake = () => {
    if (waiting.length === 0 || !isFree()) return;
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };

  const newPlace = (): JobPlace => {
    let beganMs: number | undefined;
    let state: 'starting' | 'started' | 'ended' = 'starting';
    const leaveStart = (next: 'started' | 'ended') => {
      if (state === 'starting') starting -= 1;
      state = next;
    };
    return {
      begin: () => {
        beganMs ??= clock.monoMs();
      },
      started: () => {
        if (state !== 'starting') return;
        leaveStart('started');
        if (beganMs !== undefined) adapt(clock.monoMs() - beganMs);
        wake();
      },
      end: () => {
        if (state === 'ended') return;
        leaveStart('ended');
        taken -= 1;
        wake();
      },
    };
  };

  return {
    reserve: () => {
      if (!isFree()) return undefined;
      starting += 1;
      taken += 1;
      return newPlace();
    },
    free: async () => {
      while (!isFree()) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    startMs: () => startMs,
    startLimit: () => limit,
    whyOverloaded: () =>
      clock.monoMs() - shrunkMonoMs < OVERLOADED_MS
        ? `overloaded: a job waits ${Math.round(startMs)} ms for its permit, so this worker takes fewer`
        : undefined,
  };
}
