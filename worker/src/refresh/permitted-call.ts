import type { Camera } from '@lastframe/shared/cameras/camera';
import type { RulesNow } from '@lastframe/shared/cameras/rules';
import { spacingMs } from '@lastframe/shared/cameras/spacing';
import type { Failure } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import type { Log } from '@lastframe/shared/process/log';
import type { CameraPlaces } from '../admission/camera-places.ts';
import type { PreparedCall } from '../camera-call/capture.ts';
import type { ConditionalCalls } from '../camera-call/conditional-calls.ts';
import type { PrepareCall } from '../camera-call/prepare-call.ts';
import type { RedirectTarget } from '../camera-call/redirect.ts';
import type { CallEnd, Permit } from '../permit/permits.ts';
import {
  BLAMELESS,
  type CallCondition,
  type CallResult,
  callResultOf,
  isBlameless,
} from './call-result.ts';
import { renewKnown, storeCapture } from './keep-capture.ts';
import { ABORTED, type CallOutcome, failed, LATE } from './outcome.ts';
import type { RedirectTargets } from './redirect-targets.ts';
import type { RefreshResults } from './refresh-results.ts';

export interface PermittedCallDeps {
  clock: Clock;
  prepareCall: PrepareCall;
  /**
   * Ends a permit's call, with retries that measure its end again. Returns the time until the next
   * permit, in ms; never throws.
   */
  finishPermit: (permit: Permit, endNow: () => CallEnd) => Promise<number>;
  results: RefreshResults;
  places: Pick<CameraPlaces, 'releasePlace'>;
  conditionalCalls: ConditionalCalls;
  redirects: Pick<RedirectTargets, 'remember' | 'forget'>;
  rules: RulesNow;
  /** Aborts calls in flight when the process closes. */
  closing: AbortSignal;
  /** The api process that requested the job. */
  askedBy?: string | undefined;
  /** How long the job waited in the queue. */
  queuedMs?: number | undefined;
  log: Log;
}

/** The right to one call. A redirect's target is a camera of its own, with a permit of its own. */
export interface CallPermits {
  permit: Permit;
  target?: { permit: Permit; redirect: RedirectTarget } | undefined;
}

/** Keeps calls whose bodies find no room from repeating at once. */
const NO_ROOM_REST_MS = 5000;
/** A worker that is too slow needs a moment. */
const LATE_RETRY_MS = 500;
/** The rest of a permit with which nothing was sent. */
const NOTHING_SENT = () => 0;
/** Allows for the time between the last clock check and the send. */
const SEND_MARGIN_MS = 50;

/** Spends a permit on one call: connect → send → capture → store → announce. */
export async function callWithPermit(
  permits: CallPermits,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const { camera, elapsedMs } = permits.permit;
  const called = permits.target?.permit.camera ?? camera;
  const allowanceMs = called.source.startAllowanceMs;
  // Read while connecting; on renewal the store checks that it is still the last one.
  const known = deps.conditionalCalls.mayUse(camera)
    ? deps.results.readKnownFrame(camera)
    : Promise.resolve(undefined);
  const validators = known.then((frame) => deps.conditionalCalls.validatorsFor(camera, frame));
  const prepared = await deps.prepareCall(
    called,
    allowanceMs - SEND_MARGIN_MS - elapsedMs(),
    deps.closing,
    validators,
  );
  const condition =
    prepared.outcome === 'connected' ? { known: await known, sent: await validators } : {};
  const restMs = restFromNow(deps);
  if (prepared.outcome === 'failed') {
    const end: EndNow = (permit) => ({ verdict: 'fail', restMs: restMs(permit) });
    return await reportFailure(permits, prepared, end, deps);
  }
  if (prepared.outcome === 'late') return await reportLate(permits, NOTHING_SENT, deps);
  if (prepared.outcome === 'aborted' || deps.closing.aborted) {
    if (prepared.outcome === 'connected') prepared.call.destroy();
    await finish(permits, () => ({ verdict: 'none', restMs: 0 }), deps);
    return ABORTED;
  }
  if (elapsedMs() > allowanceMs - SEND_MARGIN_MS) {
    prepared.call.destroy();
    // The camera connected within its deadline, or that would have ended the attempt.
    return await reportLate(permits, NOTHING_SENT, deps);
  }
  try {
    return await sendCall(permits, prepared.call, condition, deps);
  } finally {
    prepared.call.release();
  }
}

async function sendCall(
  permits: CallPermits,
  call: PreparedCall,
  condition: CallCondition,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const { camera, elapsedMs } = permits.permit;
  const called = permits.target?.permit.camera ?? camera;
  const pendingCapture = call.send(deps.closing);
  const sinceSentMs = monotonicSince(deps.clock);
  const restMs = restFromNow(deps);
  if (elapsedMs() > called.source.startAllowanceMs) {
    call.destroy();
    await pendingCapture;
    return await reportLate(permits, restMs, deps);
  }
  deps.results.announceStart(camera, deps);
  const capture = await pendingCapture;
  const sinceCapturedMs = monotonicSince(deps.clock);
  const redirect = permits.target?.redirect;
  const result = callResultOf(capture, camera, { ...condition, redirect }, deps);
  if (result.outcome === 'late') return await reportLate(permits, restMs, deps);
  await noteTarget(camera, result, redirect, deps);
  if (isBlameless(result)) {
    const leastMs = result.outcome === 'no room' ? NO_ROOM_REST_MS : 0;
    const end: EndNow = (permit) => ({
      verdict: 'none',
      restMs: Math.max(leastMs, restMs(permit)),
    });
    const nextMs = await finish(permits, end, deps);
    // Otherwise clients would wait for a call that is over.
    await deps.results.announceWait(camera, 'spaced', nextMs());
    return BLAMELESS[result.outcome];
  }
  if (result.outcome === 'failed') {
    const minBackoffMs = backoffOf(result, camera);
    const end: EndNow = (permit) => ({ verdict: 'fail', restMs: restMs(permit), minBackoffMs });
    return await reportFailure(permits, result, end, deps);
  }
  const end: EndNow = (permit) => ({ verdict: 'ok', restMs: restMs(permit) });
  const nextMs = await finish(permits, end, deps);
  if (result.outcome === 'unchanged') {
    return await renewKnown(
      camera,
      condition.known,
      { sinceSentMs, sinceCapturedMs, nextMs },
      deps,
    );
  }
  return await storeCapture(camera, result, { sinceSentMs, sinceCapturedMs, nextMs }, deps);
}

/** Remembers where the next call goes. What a response redirected to once is called once. */
async function noteTarget(
  camera: Camera,
  result: CallResult,
  redirect: RedirectTarget | undefined,
  { redirects }: PermittedCallDeps,
): Promise<void> {
  if (result.outcome === 'redirected') return await redirects.remember(camera, result.target);
  if (redirect && (result.outcome === 'failed' || !redirect.isPermanent)) {
    await redirects.forget(camera);
  }
}

/**
 * Ends a call that this worker was too slow for. The camera is not to blame: it does not back off,
 * and its viewers hear of no failure, only when the next call may come.
 * @param restMs 0 if nothing was sent
 */
async function reportLate(
  permits: CallPermits,
  restMs: (permit: Permit) => number,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const { camera } = permits.permit;
  deps.log.debug({ cameraId: camera.cameraId }, 'a call was given up: too late');
  const end: EndNow = (permit) => ({ verdict: 'late', restMs: restMs(permit) });
  const nextMs = await finish(permits, end, deps);
  await deps.results.announceWait(camera, 'late', Math.max(LATE_RETRY_MS, nextMs()));
  return LATE;
}

/**
 * Returns a stopwatch that never runs ahead. Whether a permit may still be used depends on the
 * greater of both clocks. Here, a wall clock set ahead during a call would shorten the rest, and
 * the next call would come too soon. After a suspend the rest is a little longer than necessary.
 */
function monotonicSince(clock: Pick<Clock, 'monoMs'>): () => number {
  const startMs = clock.monoMs();
  return () => clock.monoMs() - startMs;
}

/** Returns a countdown of the spacing that begins now; each retry of a finish reads it again. */
function restFromNow(deps: PermittedCallDeps): (permit: Permit) => number {
  const sinceMs = monotonicSince(deps.clock);
  return ({ camera }) => Math.max(1, spacingMs(camera.source) - sinceMs());
}

/** Returns the least back-off: a camera may still work after a timeout, or send Retry-After. */
function backoffOf(
  { status, retryAfterMs = 0 }: { status: number; retryAfterMs?: number | undefined },
  { name, source }: Camera,
): number {
  if (status === 504) return source.timeoutMs;
  // Back-offs are kept in Redis, and viewers can make up any number of unnamed cameras.
  return name === undefined ? Math.min(retryAfterMs, source.unnamedStaleForMs) : retryAfterMs;
}

async function reportFailure(
  permits: CallPermits,
  { status, reason, error, receivedStatus }: Omit<Failure, 'nextMs'>,
  endNow: EndNow,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const nextMs = await finish(permits, endNow, deps);
  const failure = { status, reason, error, receivedStatus, nextMs: nextMs() };
  await deps.results.storeFailure(permits.permit.camera, failure);
  return failed('call', reason);
}

/** Measures how a call ends for a permit. */
type EndNow = (permit: Permit) => CallEnd;

/**
 * Ends the call before its result is announced, so that the next request is not denied. Returns a
 * countdown to the camera's next permit; without a reply from Redis, to the end of this one.
 */
async function finish(
  { permit, target }: CallPermits,
  endNow: EndNow,
  deps: PermittedCallDeps,
): Promise<() => number> {
  const [waitMs] = await Promise.all([
    deps.finishPermit(permit, () => endNow(permit)),
    target && deps.finishPermit(target.permit, () => endNow(target.permit)),
  ]);
  const sinceMs = monotonicSince(deps.clock);
  return () => Math.max(0, Math.ceil(waitMs - sinceMs()));
}
