import { freshTimeMs } from './fresh-time.ts';
import type { Source } from './source.ts';

/** The states of a camera, for the whole fleet. */
export const HEALTHS = ['idle', 'live', 'late', 'failing', 'frozen'] as const;
export type Health = (typeof HEALTHS)[number];

/** Times of the last good frame. All times here are milliseconds of the frames Redis's clock. */
export interface FrameTimes {
  startedAtMs: number;
  capturedAtMs: number;
  changedAtMs: number;
  /** See `Frame`. */
  freshForMs?: number | undefined;
}

/** What the frame store knows about a camera. Any fact may be missing. */
export interface HealthFacts {
  frame?: FrameTimes;
  /** Start of the run of good frames without a failure, a gap or a freeze. */
  goodSinceMs?: number;
  /** The failures since the last good frame. */
  failure?: {
    sinceMs: number;
    lastMs: number;
    /** When the camera may be called again. */
    nextAtMs: number;
    /** May be shown to viewers. */
    reason: string;
  };
  /** Unmet requests, noted by an api process: since when, and until when the note holds. */
  asked?: { fromMs: number; untilMs: number };
}

export interface HealthState {
  health: Health;
  /** Start of this state; undefined if nothing is known about the camera. */
  sinceMs?: number;
  /** Set for a failing camera. */
  reason?: string;
}

type Limits = Pick<
  Source,
  'intervalMs' | 'maxIntervalMs' | 'timeoutMs' | 'startAllowanceMs' | 'frozenAfterMs'
>;

/** A hiccup must not make a camera with a short interval late. */
const LEAST_GRACE_MS = 2000;
/** Unmet requests are noted within this time: an api process checks every second. */
const NOTE_GRACE_MS = 2500;
/** How long a note of unmet requests may hold. */
export const MAX_NOTE_MS = 60_000;

/**
 * Returns the age at which a requested frame is late: the next call starts when the frame is no
 * longer fresh, takes as long as the last one (the longest, if unknown), and may be an interval late.
 */
export function lateAfterMs(
  lastCallMs: number | undefined,
  limits: Limits,
  freshForMs?: number,
): number {
  const { intervalMs, timeoutMs, startAllowanceMs } = limits;
  const callMs = Math.max(0, lastCallMs ?? startAllowanceMs + timeoutMs);
  return freshTimeMs(limits, freshForMs) + callMs + Math.max(intervalMs, LEAST_GRACE_MS);
}

/** Computes a camera's health at one instant from the stored facts and the clock. */
export function healthOf(facts: HealthFacts, limits: Limits, nowMs: number): HealthState {
  const { frame } = facts;
  const callMs = frame && frame.capturedAtMs - frame.startedAtMs;
  const lateMs = lateAfterMs(callMs, limits, frame?.freshForMs);
  const failure = currentFailure(facts);
  // Until then the last known state holds.
  const overdueAtMs = failure
    ? // Its next call may hang, however quick the good ones were.
      Math.max(failure.nextAtMs, failure.lastMs) + lateAfterMs(undefined, limits)
    : (frame?.capturedAtMs ?? Number.NEGATIVE_INFINITY) + lateMs;
  const { asked } = facts;
  // A note from the future was written before the clock was set back.
  const isAsked =
    asked !== undefined && nowMs <= asked.untilMs && asked.untilMs <= nowMs + MAX_NOTE_MS;
  if (isAsked) {
    // Requested for so long, however long no new picture was expected before.
    const lateSinceMs = Math.max(overdueAtMs, asked.fromMs + lateAfterMs(callMs, limits));
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

/** A good frame ends the failures, even if its worker did not record that. */
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

/** Counts cameras by health, for the metrics. */
export function countByHealth(healths: Iterable<Health>): Record<Health, number> {
  const counts = { idle: 0, live: 0, late: 0, failing: 0, frozen: 0 };
  for (const health of healths) counts[health] += 1;
  return counts;
}
