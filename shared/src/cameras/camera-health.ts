import type { Source } from './source.ts';

/** How a camera fares, for the whole fleet. */
export const HEALTHS = ['idle', 'live', 'late', 'failing', 'frozen'] as const;
export type Health = (typeof HEALTHS)[number];

/** Of the last good frame. All times here are milliseconds of the frames Redis's clock. */
export interface FrameTimes {
  startedAtMs: number;
  capturedAtMs: number;
  changedAtMs: number;
}

/** What the frame store knows of a camera. Each fact may be lost with the store, or not be there yet. */
export interface HealthFacts {
  frame?: FrameTimes;
  /** Since when good frames have come without a failure, a gap or a freeze between them. */
  goodSinceMs?: number;
  /** The failures since the last good frame. */
  failure?: {
    sinceMs: number;
    lastMs: number;
    /** When the camera may be called again. */
    nextAtMs: number;
    /** Public words. */
    reason: string;
  };
  /** Somebody asks in vain, as an api process has noted: since when, and for how long that holds. */
  asked?: { fromMs: number; untilMs: number };
}

export interface HealthState {
  health: Health;
  /** Since when it is so; undefined where nothing is known of the camera. */
  sinceMs?: number;
  /** Of a failing camera. */
  reason?: string;
}

type Limits = Pick<Source, 'intervalMs' | 'timeoutMs' | 'startAllowanceMs' | 'frozenAfterMs'>;

/** A camera with a short interval is not late for a hiccup. */
const LEAST_GRACE_MS = 2000;
/** Who asks in vain has noted it by then: an api process looks every second. */
const NOTE_GRACE_MS = 2500;
/** How long a note that somebody asks may hold. */
export const MAX_NOTE_MS = 60_000;

/**
 * How old a frame may become while somebody asks for the next one: the next call begins an interval
 * after the last, takes as long as the last one took, and may be an interval late.
 */
export function lateAfterMs(
  times: Pick<FrameTimes, 'startedAtMs' | 'capturedAtMs'> | undefined,
  { intervalMs, timeoutMs, startAllowanceMs }: Limits,
): number {
  const callMs = times && Math.max(0, times.capturedAtMs - times.startedAtMs);
  return (
    intervalMs + (callMs ?? startAllowanceMs + timeoutMs) + Math.max(intervalMs, LEAST_GRACE_MS)
  );
}

/** A camera's health at one instant: what is stored, and what follows from the clock. */
export function healthOf(facts: HealthFacts, limits: Limits, nowMs: number): HealthState {
  const { frame } = facts;
  const lateMs = lateAfterMs(frame, limits);
  const failure = currentFailure(facts);
  // Until then all is as the last news had it.
  const overdueAtMs = failure
    ? // Its next call may hang, however quick the good ones were.
      Math.max(failure.nextAtMs, failure.lastMs) + lateAfterMs(undefined, limits)
    : (frame?.capturedAtMs ?? Number.NEGATIVE_INFINITY) + lateMs;
  const { asked } = facts;
  // A note from the future was written before the clock was set back.
  const isAsked =
    asked !== undefined && nowMs <= asked.untilMs && asked.untilMs <= nowMs + MAX_NOTE_MS;
  if (isAsked) {
    const lateSinceMs = Math.max(overdueAtMs, asked.fromMs + lateMs);
    if (nowMs >= lateSinceMs) return { health: 'late', sinceMs: lateSinceMs };
  }
  if (nowMs < overdueAtMs + (isAsked ? 0 : NOTE_GRACE_MS)) return lastKnown(facts, failure, limits);
  const lastAskedMs = Math.max(
    frame?.startedAtMs ?? Number.NEGATIVE_INFINITY,
    failure?.lastMs ?? Number.NEGATIVE_INFINITY,
    isAsked ? Number.NEGATIVE_INFINITY : (asked?.untilMs ?? Number.NEGATIVE_INFINITY),
  );
  return { health: 'idle', ...(Number.isFinite(lastAskedMs) && { sinceMs: lastAskedMs }) };
}

/** A good frame ends the failures, also one that was stored by a worker which doesn't say so. */
function currentFailure({ frame, failure }: HealthFacts): HealthFacts['failure'] {
  return failure && failure.lastMs >= (frame?.capturedAtMs ?? 0) ? failure : undefined;
}

function lastKnown(
  { frame, goodSinceMs }: HealthFacts,
  failure: HealthFacts['failure'],
  { frozenAfterMs }: Limits,
): HealthState {
  if (failure) return { health: 'failing', sinceMs: failure.sinceMs, reason: failure.reason };
  if (!frame) return { health: 'idle' };
  const { changedAtMs, capturedAtMs } = frame;
  if (frozenAfterMs !== undefined && capturedAtMs - changedAtMs >= frozenAfterMs) {
    return { health: 'frozen', sinceMs: changedAtMs + frozenAfterMs };
  }
  return { health: 'live', sinceMs: goodSinceMs ?? capturedAtMs };
}

/** How many cameras there are of each health, for the metrics. */
export function countByHealth(healths: Iterable<Health>): Record<Health, number> {
  const counts = { idle: 0, live: 0, late: 0, failing: 0, frozen: 0 };
  for (const health of healths) counts[health] += 1;
  return counts;
}
