import type { Camera } from '@lastframe/shared/cameras/camera';
import { spacingMs } from '@lastframe/shared/cameras/spacing';
import { etagOf } from '@lastframe/shared/frames/frame';
import type { KnownFrame } from '@lastframe/shared/frames/frame-store';
import type { Failure } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import { type CameraPlaces, NEW_CAMERA_RETRY_MS } from '../admission/camera-places.ts';
import type { Capture, PreparedCall } from '../camera-call/capture.ts';
import type { PrepareCall } from '../camera-call/prepare-call.ts';
import type { CallEnd, Permit } from '../permit/permits.ts';
import {
  ABORTED,
  CAPTURED,
  type CallOutcome,
  failed,
  LATE,
  OVERTAKEN,
  UNCHANGED,
} from './outcome.ts';
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
  /** Aborts calls in flight when the process closes. */
  closing: AbortSignal;
  /** The api process that requested the job. */
  askedBy?: string | undefined;
  /** How long the job waited in the queue. */
  queuedMs?: number | undefined;
  log: Log;
}

/**
 * Outcomes that say nothing about the camera: clients keep waiting, for the next permit. A
 * challenged call was a call too: retrying at once would be a second one with the same permit.
 */
const BLAMELESS = {
  aborted: ABORTED,
  challenged: failed('call', 'authentication required; the next call will send credentials'),
  'no room': failed('frame', 'frame not read: the worker has no memory left for it'),
} satisfies Partial<Record<Capture['outcome'], CallOutcome>>;

const isBlameless = (
  capture: Capture,
): capture is Extract<Capture, { outcome: keyof typeof BLAMELESS }> => capture.outcome in BLAMELESS;

/** Keeps calls whose bodies find no room from repeating at once. */
const NO_ROOM_REST_MS = 5000;
/** A worker that is too slow needs a moment. */
const LATE_RETRY_MS = 500;
/** Allows for the time between the last clock check and the send. */
const SEND_MARGIN_MS = 50;

/** Spends a permit on one call: connect → send → capture → store → announce. */
export async function callWithPermit(
  permit: Permit,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const { camera, elapsedMs } = permit;
  const allowanceMs = camera.source.startAllowanceMs;
  // Read while connecting; on renewal the store checks that it is still the last one.
  const known = deps.results.readKnownFrame(camera);
  const prepared = await deps.prepareCall(
    camera,
    allowanceMs - SEND_MARGIN_MS - elapsedMs(),
    deps.closing,
    known.then((frame) => frame?.validators),
  );
  const knownFrame = prepared.outcome === 'connected' ? await known : undefined;
  const restMs = restFromNow(camera, deps);
  const failedNow = () => ({ verdict: 'fail', restMs: restMs() }) as const;
  if (prepared.outcome === 'failed') return await reportFailure(permit, prepared, failedNow, deps);
  if (prepared.outcome === 'late') return await reportLate(permit, () => 0, deps);
  if (prepared.outcome === 'aborted' || deps.closing.aborted) {
    if (prepared.outcome === 'connected') prepared.call.destroy();
    await finish(permit, () => ({ verdict: 'none', restMs: 0 }), deps);
    return ABORTED;
  }
  if (elapsedMs() > allowanceMs - SEND_MARGIN_MS) {
    prepared.call.destroy();
    // The camera connected within its deadline, or that would have ended the attempt.
    return await reportLate(permit, () => 0, deps);
  }
  try {
    return await sendCall(permit, prepared.call, knownFrame, deps);
  } finally {
    prepared.call.release();
  }
}

async function sendCall(
  permit: Permit,
  call: PreparedCall,
  known: KnownFrame | undefined,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const { camera } = permit;
  const pendingCapture = call.send(deps.closing);
  const sinceSentMs = monotonicSince(deps.clock);
  const restMs = restFromNow(camera, deps);
  if (permit.elapsedMs() > camera.source.startAllowanceMs) {
    call.destroy();
    await pendingCapture;
    return await reportLate(permit, restMs, deps);
  }
  deps.results.announceStart(camera, deps);
  const capture = await pendingCapture;
  const sinceCapturedMs = monotonicSince(deps.clock);
  if (capture.outcome === 'late') return await reportLate(permit, restMs, deps);
  if (isBlameless(capture)) {
    const leastMs = capture.outcome === 'no room' ? NO_ROOM_REST_MS : 0;
    const end = () => ({ verdict: 'none', restMs: Math.max(leastMs, restMs()) }) as const;
    const nextMs = await finish(permit, end, deps);
    // Otherwise clients would wait for a call that is over.
    await deps.results.announceWait(camera, 'spaced', nextMs());
    return BLAMELESS[capture.outcome];
  }
  if (capture.outcome === 'failed') {
    const minBackoffMs = backoffOf(capture, camera);
    const end = () => ({ verdict: 'fail', restMs: restMs(), minBackoffMs }) as const;
    return await reportFailure(permit, capture, end, deps);
  }
  const nextMs = await finish(permit, () => ({ verdict: 'ok', restMs: restMs() }), deps);
  if (capture.outcome === 'unchanged') {
    return await renewKnown(camera, known, { sinceSentMs, sinceCapturedMs, nextMs }, deps);
  }
  return await storeCapture(camera, capture, { sinceSentMs, sinceCapturedMs, nextMs }, deps);
}

/**
 * Ends a call that this worker was too slow for. The camera is not to blame: it does not back off,
 * and its viewers hear of no failure, only when the next call may come.
 * @param restMs 0 if nothing was sent
 */
async function reportLate(
  permit: Permit,
  restMs: () => number,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  deps.log.debug({ cameraId: permit.camera.cameraId }, 'a call was given up: too late');
  const nextMs = await finish(permit, () => ({ verdict: 'late', restMs: restMs() }), deps);
  await deps.results.announceWait(permit.camera, 'late', Math.max(LATE_RETRY_MS, nextMs()));
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
function restFromNow(camera: Camera, deps: PermittedCallDeps): () => number {
  const sinceMs = monotonicSince(deps.clock);
  return () => Math.max(1, spacingMs(camera.source) - sinceMs());
}

/** Renews the last frame after a 304. If it is gone by now, the next call fetches it. */
async function renewKnown(
  camera: Camera,
  known: KnownFrame | undefined,
  times: CallTimes,
  { results }: PermittedCallDeps,
): Promise<CallOutcome> {
  const timesNow = () => ({
    startedAgoMs: times.sinceSentMs(),
    capturedAgoMs: times.sinceCapturedMs(),
    nextMs: times.nextMs(),
  });
  try {
    const outcome = known ? await results.renewFrame(camera, known, timesNow) : 'missing';
    if (outcome === 'older') return OVERTAKEN;
    if (outcome !== 'missing') return UNCHANGED;
    // Purged or evicted during the call.
    await results.announceWait(camera, 'spaced', times.nextMs());
    return OVERTAKEN;
  } catch (error) {
    await results.announceWait(camera, 'spaced', times.nextMs());
    return failed('frame', `frame not renewed: ${messageOf(error)}`);
  }
}

interface CallTimes {
  sinceSentMs: () => number;
  sinceCapturedMs: () => number;
  nextMs: () => number;
}

async function storeCapture(
  camera: Camera,
  capture: Extract<Capture, { outcome: 'captured' }>,
  times: CallTimes,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  try {
    const outcome = await deps.results.storeFrame(camera, () => ({
      bytes: capture.bytes,
      contentType: capture.contentType,
      etag: etagOf(capture.bytes),
      validators: capture.validators,
      dimensions: capture.dimensions,
      startedAgoMs: times.sinceSentMs(),
      capturedAgoMs: times.sinceCapturedMs(),
      nextMs: times.nextMs(),
    }));
    if (outcome === 'no room') {
      // Otherwise it would be called repeatedly for frames that nobody sees.
      await deps.places.releasePlace(camera);
      const waitMs = Math.max(times.nextMs(), NEW_CAMERA_RETRY_MS);
      await deps.results.announceWait(camera, 'memory', waitMs);
      return failed('frame', 'frame not stored: Redis has no memory left for new cameras');
    }
    if (outcome === 'no room to grow') {
      await deps.results.announceWait(camera, 'spaced', times.nextMs());
      return failed(
        'frame',
        'frame not stored: Redis has no memory left for a frame larger than the last',
      );
    }
    // It must not be served; clients that wait need a call that begins after the purge.
    if (outcome === 'purged') await deps.results.announceWait(camera, 'spaced', times.nextMs());
    return outcome === 'frame' ? CAPTURED : outcome === 'unchanged' ? UNCHANGED : OVERTAKEN;
  } catch (error) {
    await deps.results.announceWait(camera, 'spaced', times.nextMs());
    return failed('frame', `frame not stored: ${messageOf(error)}`);
  }
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
  permit: Permit,
  { status, reason, error, receivedStatus }: Omit<Failure, 'nextMs'>,
  endNow: () => CallEnd,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const nextMs = await finish(permit, endNow, deps);
  const failure = { status, reason, error, receivedStatus, nextMs: nextMs() };
  await deps.results.storeFailure(permit.camera, failure);
  return failed('call', reason);
}

/**
 * Ends the permit's call before its result is announced, so that the next request is not denied.
 * Returns a countdown to the next permit; without a reply from Redis, to the end of this one.
 */
async function finish(
  permit: Permit,
  endNow: () => CallEnd,
  deps: PermittedCallDeps,
): Promise<() => number> {
  const waitMs = await deps.finishPermit(permit, endNow);
  const sinceMs = monotonicSince(deps.clock);
  return () => Math.max(0, Math.ceil(waitMs - sinceMs()));
}
