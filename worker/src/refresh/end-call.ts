import type { Camera } from '@lastframe/shared/cameras/camera';
import { spacingMs } from '@lastframe/shared/cameras/spacing';
import type { Failure } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import type { Log } from '@lastframe/shared/process/log';
import type { RedirectTarget } from '../camera-call/redirect.ts';
import type { CallEnd, Permit } from '../permit/permits.ts';
import { BLAMELESS, type BlamelessResult } from './call-result.ts';
import { ABORTED, type CallOutcome, failed, LATE } from './outcome.ts';
import type { RefreshResults } from './refresh-results.ts';

/** The right to one call. */
export interface CallPermits {
  permit: Permit;
  /** The target of a redirect, which is called in place of the camera. */
  target?: CallTarget | undefined;
}

export interface CallTarget {
  camera: Camera;
  redirect: RedirectTarget;
  /** Its own. Undefined if its URL differs only in what its source ignores: it is the same camera. */
  permit?: Permit | undefined;
}

export interface EndCallDeps {
  clock: Clock;
  /**
   * Ends a permit's call, with retries that measure its end again. Returns the time until the next
   * permit, in ms; never throws.
   */
  finishPermit: (permit: Permit, endNow: () => CallEnd) => Promise<number>;
  results: RefreshResults;
  log: Log;
}

/** Measures how a call ends for a permit. */
export type EndNow = (permit: Permit) => CallEnd;

/** Measures the rest until a camera's next call, in ms. */
export type RestNow = (permit: Permit) => number;

/** The rest of a permit with which nothing was sent. */
export const NOTHING_SENT: RestNow = () => 0;
/** Keeps calls whose bodies find no room from repeating at once. */
const NO_ROOM_REST_MS = 5000;
/** A worker that is too slow needs a moment. */
const LATE_RETRY_MS = 500;

/**
 * Ends the call before its result is announced, so that the next request is not denied. Returns a
 * countdown to the camera's next permit; without a reply from Redis, to the end of this one.
 */
export async function finishCall(
  { permit, target }: CallPermits,
  endNow: EndNow,
  deps: EndCallDeps,
): Promise<() => number> {
  const ofTarget = target?.permit;
  const [waitMs] = await Promise.all([
    deps.finishPermit(permit, () => endNow(permit)),
    ofTarget && deps.finishPermit(ofTarget, () => endNow(ofTarget)),
  ]);
  const sinceMs = monotonicSince(deps.clock);
  return () => Math.max(0, Math.ceil(waitMs - sinceMs()));
}

/**
 * Ends a call that this worker was too slow for. The camera is not to blame: it does not back off,
 * and its viewers hear of no failure, only when the next call may come.
 * @param restMs 0 if nothing was sent
 */
export async function reportLate(
  permits: CallPermits,
  restMs: RestNow,
  deps: EndCallDeps,
): Promise<CallOutcome> {
  const { camera } = permits.permit;
  deps.log.debug({ cameraId: camera.cameraId }, 'a call was given up: too late');
  const end: EndNow = (permit) => ({ verdict: 'late', restMs: restMs(permit) });
  const nextMs = await finishCall(permits, end, deps);
  await deps.results.announceWait(camera, 'late', Math.max(LATE_RETRY_MS, nextMs()));
  return LATE;
}

/** Ends a call that this process aborted before it was sent. */
export async function endAborted(permits: CallPermits, deps: EndCallDeps): Promise<CallOutcome> {
  await finishCall(permits, () => ({ verdict: 'none', restMs: 0 }), deps);
  return ABORTED;
}

/** Ends a call whose outcome says nothing about the camera. */
export async function reportBlameless(
  permits: CallPermits,
  { outcome }: BlamelessResult,
  restMs: RestNow,
  deps: EndCallDeps,
): Promise<CallOutcome> {
  const leastMs = outcome === 'no room' ? NO_ROOM_REST_MS : 0;
  const end: EndNow = (permit) => ({ verdict: 'none', restMs: Math.max(leastMs, restMs(permit)) });
  const nextMs = await finishCall(permits, end, deps);
  // Otherwise clients would wait for a call that is over.
  await deps.results.announceWait(permits.permit.camera, 'spaced', nextMs());
  return BLAMELESS[outcome];
}

/** Ends a call that failed because of the camera, which then backs off. */
export async function reportFailure(
  permits: CallPermits,
  { status, reason, error, receivedStatus }: Omit<Failure, 'nextMs'>,
  endNow: EndNow,
  deps: EndCallDeps,
): Promise<CallOutcome> {
  const nextMs = await finishCall(permits, endNow, deps);
  const failure = { status, reason, error, receivedStatus, nextMs: nextMs() };
  await deps.results.storeFailure(permits.permit.camera, failure);
  return failed('call', reason);
}

/** Returns the least back-off: a camera may still work after a timeout, or send Retry-After. */
export function backoffOf(
  { status, retryAfterMs = 0 }: { status: number; retryAfterMs?: number | undefined },
  { name, source }: Camera,
): number {
  if (status === 504) return source.timeoutMs;
  // Back-offs are kept in Redis, and viewers can make up any number of unnamed cameras.
  return name === undefined ? Math.min(retryAfterMs, source.unnamedStaleForMs) : retryAfterMs;
}

/**
 * Returns a stopwatch that never runs ahead. Whether a permit may still be used depends on the
 * greater of both clocks. Here, a wall clock set ahead during a call would shorten the rest, and
 * the next call would come too soon. After a suspend the rest is a little longer than necessary.
 */
export function monotonicSince(clock: Pick<Clock, 'monoMs'>): () => number {
  const startMs = clock.monoMs();
  return () => clock.monoMs() - startMs;
}

/** Returns a countdown of the spacing that begins now; each retry of a finish reads it again. */
export function restFromNow({ clock }: Pick<EndCallDeps, 'clock'>): RestNow {
  const sinceMs = monotonicSince(clock);
  return ({ camera }) => Math.max(1, spacingMs(camera.source) - sinceMs());
}
