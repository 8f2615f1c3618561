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
import type { Finish, Permit } from '../permit/permits.ts';
import type { RefreshResults } from './refresh-results.ts';

/** What became of a permit that was granted. */
export type CallOutcome = 'captured' | 'unchanged' | 'overtaken' | `failed: ${string}` | 'aborted';

export interface PermittedCallDeps {
  clock: Clock;
  prepareCall: PrepareCall;
  reporter: RefreshResults;
  places: Pick<CameraPlaces, 'leave'>;
  /** Ends calls in flight when the process closes. */
  closing: AbortSignal;
  /** The api process whose job it is. */
  askedBy?: string | undefined;
  log: Log;
}

/**
 * Ends of a call that say nothing about the camera; who waits for a frame waits for the next permit.
 * A call that told us how to ask was a call: asking again at once would be a second one on its permit.
 */
const BLAMELESS = {
  aborted: 'aborted',
  challenged: 'failed: the camera asked who we are; the next call says it',
  'no room': 'failed: frame not read: the worker holds too many bytes already',
} satisfies Partial<Record<Capture['outcome'], CallOutcome>>;

const isBlameless = (
  capture: Capture,
): capture is Extract<Capture, { outcome: keyof typeof BLAMELESS }> => capture.outcome in BLAMELESS;

/** Calls whose bodies find no room would only be made again and again. */
const NO_ROOM_REST_MS = 5000;
/** What a send may still take after the last look at the clock. */
const SEND_MARGIN_MS = 50;

/** Spends a permit on one call: connect → send → capture → store → announce. */
export async function callWithPermit(
  permit: Permit,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const { camera, elapsedMs } = permit;
  const allowanceMs = camera.source.startAllowanceMs;
  // Read beside the connecting; when it is renewed, the store looks whether it is still the one.
  const known = deps.reporter.known(camera);
  const prepared = await deps.prepareCall(
    camera,
    allowanceMs - elapsedMs(),
    deps.closing,
    known.then((frame) => frame?.validators),
  );
  const knownFrame = prepared.outcome === 'connected' ? await known : undefined;
  const restMs = restFromNow(camera, deps);
  if (prepared.outcome === 'connected' && deps.closing.aborted) {
    prepared.call.destroy();
    await finish(permit, () => ({ verdict: 'none', restMs: 0 }), deps);
    return 'aborted';
  }
  if (prepared.outcome === 'failed') {
    return await reportFailure(
      permit,
      prepared,
      () => ({ verdict: 'fail', restMs: restMs() }),
      deps,
    );
  }
  if (prepared.outcome === 'aborted') {
    await finish(permit, () => ({ verdict: 'none', restMs: 0 }), deps);
    return 'aborted';
  }
  if (elapsedMs() > allowanceMs - SEND_MARGIN_MS) {
    prepared.call.destroy();
    const reason = 'the connection came too late for its permit';
    const failure = { status: 504 as const, reason, error: 'connection_timeout' };
    return await reportFailure(
      permit,
      failure,
      () => ({ verdict: 'fail', restMs: restMs() }),
      deps,
    );
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
  const answered = call.send(deps.closing);
  const sinceSentMs = monotonicSince(deps.clock);
  const restMs = restFromNow(camera, deps);
  if (permit.elapsedMs() > camera.source.startAllowanceMs) {
    call.destroy();
    await answered;
    return await endLateSend(permit, restMs, deps);
  }
  deps.reporter.started(camera, deps.askedBy);
  const capture = await answered;
  const sinceCapturedMs = monotonicSince(deps.clock);
  if (isBlameless(capture)) {
    const leastMs = capture.outcome === 'no room' ? NO_ROOM_REST_MS : 0;
    const end = () => ({ verdict: 'none', restMs: Math.max(leastMs, restMs()) }) as const;
    const nextMs = await finish(permit, end, deps);
    // Else all would wait for the end of a call that is over.
    await deps.reporter.wait(camera, 'spaced', nextMs());
    return BLAMELESS[capture.outcome];
  }
  if (capture.outcome === 'failed') {
    const atLeastMs = backoffOf(capture, camera);
    const end = () => ({ verdict: 'fail', restMs: restMs(), atLeastMs }) as const;
    return await reportFailure(permit, capture, end, deps);
  }
  const nextMs = await finish(permit, () => ({ verdict: 'ok', restMs: restMs() }), deps);
  if (capture.outcome === 'unchanged') {
    return await renewKnown(camera, known, { sinceSentMs, sinceCapturedMs, nextMs }, deps);
  }
  return await storeCapture(camera, capture, { sinceSentMs, sinceCapturedMs, nextMs }, deps);
}

/**
 * Between the last look and the send the process was stopped, so the permit may not cover this
 * call. It says nothing about the camera: no failure is announced.
 */
async function endLateSend(
  permit: Permit,
  restMs: () => number,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  deps.log.warn({ cameraId: permit.camera.cameraId }, 'a call was sent too late and cut off');
  await finish(permit, () => ({ verdict: 'none', restMs: restMs() }), deps);
  return 'failed: sent too late and cut off';
}

/**
 * Time since now that is never too much. Whether a permit may still be used is judged by the greater
 * of both clocks; here the wall clock, set ahead during a call, would cut the rest short and let the
 * next call come too soon. A machine that was suspended rests a little longer than it must.
 */
function monotonicSince(clock: Pick<Clock, 'monoMs'>): () => number {
  const beganMs = clock.monoMs();
  return () => clock.monoMs() - beganMs;
}

/** What is left of the spacing that begins now, asked anew whenever a finish is tried again. */
function restFromNow(camera: Camera, deps: PermittedCallDeps): () => number {
  const sinceMs = monotonicSince(deps.clock);
  return () => Math.max(1, spacingMs(camera.source) - sinceMs());
}

/** The camera sent no image because the fleet has it, or had it: then the next call asks for it. */
async function renewKnown(
  camera: Camera,
  known: KnownFrame | undefined,
  times: CallTimes,
  { reporter }: PermittedCallDeps,
): Promise<CallOutcome> {
  const timesNow = () => ({
    startedAgoMs: times.sinceSentMs(),
    capturedAgoMs: times.sinceCapturedMs(),
    nextMs: times.nextMs(),
  });
  try {
    const renewed = known ? await reporter.renewed(camera, known, timesNow) : 'missing';
    if (renewed === 'older') return 'overtaken';
    if (renewed !== 'missing') return 'unchanged';
    // It was purged or evicted during the call.
    await reporter.wait(camera, 'spaced', times.nextMs());
    return 'overtaken';
  } catch (error) {
    await reporter.wait(camera, 'spaced', times.nextMs());
    return `failed: frame not renewed: ${messageOf(error)}`;
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
    const stored = await deps.reporter.frame(camera, () => ({
      bytes: capture.bytes,
      contentType: capture.contentType,
      etag: etagOf(capture.bytes),
      validators: capture.validators,
      dimensions: capture.dimensions,
      startedAgoMs: times.sinceSentMs(),
      capturedAgoMs: times.sinceCapturedMs(),
      nextMs: times.nextMs(),
    }));
    if (stored === 'no room') {
      // Else it would be called again and again for frames that nobody gets to see.
      await deps.places.leave(camera);
      const waitMs = Math.max(times.nextMs(), NEW_CAMERA_RETRY_MS);
      await deps.reporter.wait(camera, 'memory', waitMs);
      return 'failed: frame not stored: Redis has no memory left for new cameras';
    }
    if (stored === 'no room to grow') {
      await deps.reporter.wait(camera, 'spaced', times.nextMs());
      return 'failed: frame not stored: Redis has no memory left for a frame larger than the last';
    }
    // Nobody is to see it, and who waits for a frame needs a call that begins after the purge.
    if (stored === 'purged') await deps.reporter.wait(camera, 'spaced', times.nextMs());
    return stored === 'frame' ? 'captured' : stored === 'unchanged' ? 'unchanged' : 'overtaken';
  } catch (error) {
    await deps.reporter.wait(camera, 'spaced', times.nextMs());
    return `failed: frame not stored: ${messageOf(error)}`;
  }
}

/** A camera that we hung up on may still be working; one that asks for patience gets it. */
function backoffOf(
  { status, retryAfterMs = 0 }: { status: number; retryAfterMs?: number },
  { name, source }: Camera,
): number {
  if (status === 504) return source.timeoutMs;
  // A back-off is kept in Redis, and viewers can make up any number of unnamed cameras.
  return name === undefined ? Math.min(retryAfterMs, source.unnamedStaleForMs) : retryAfterMs;
}

async function reportFailure(
  permit: Permit,
  { status, reason, error, receivedStatus }: Omit<Failure, 'nextMs'>,
  endNow: () => Finish,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const nextMs = await finish(permit, endNow, deps);
  const cause = {
    ...(error !== undefined && { error }),
    ...(receivedStatus !== undefined && { receivedStatus }),
  };
  await deps.reporter.failed(permit.camera, { status, reason, ...cause, nextMs: nextMs() });
  return `failed: ${reason}`;
}

/**
 * Ends the permit's call before the news goes out, so that who asks again at once is not denied.
 * Gives how long it is from now until a permit can be had; when Redis doesn't say, the most that
 * the permit may still live.
 */
async function finish(
  permit: Permit,
  endNow: () => Finish,
  deps: PermittedCallDeps,
): Promise<() => number> {
  const lastMs = await deps.reporter.finish(permit, endNow);
  const sinceMs = monotonicSince(deps.clock);
  return () => Math.max(0, Math.ceil(lastMs - sinceMs()));
}
