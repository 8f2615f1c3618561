import type { Camera } from '@lastframe/shared/camera';
import { type Clock, startStopwatch } from '@lastframe/shared/clock';
import { messageOf, ProblemError } from '@lastframe/shared/errors';
import { etagOf } from '@lastframe/shared/frame';
import type { Log } from '@lastframe/shared/log';
import type { RefreshJob } from '@lastframe/shared/refresh-job';
import { findCamera, type Source } from '@lastframe/shared/source';
import type { Prepared } from './call-camera.ts';
import type { Capture, PreparedCall } from './capture.ts';
import type { Finish, Permit, Permits, Take } from './permit.ts';
import { spacingMs } from './permit-times.ts';
import type { Reporter } from './reporter.ts';

/** How a refresh job ended, as the dashboard and the metrics show it. */
export type RefreshOutcome =
  | 'captured'
  | 'unchanged'
  | 'overtaken'
  | 'dropped: asked too long ago'
  | `denied: ${string}`
  | `failed: ${string}`
  | 'aborted';

export interface RefreshDeps {
  clock: Clock;
  permits: Permits;
  prepareCall: (camera: Camera, withinMs: number, signal: AbortSignal) => Promise<Prepared>;
  reporter: Reporter;
  sources: readonly Source[];
  /** Redis's time, undefined while unknown. */
  redisNowMs: () => number | undefined;
  /** Ends calls in flight when the process closes. */
  closing: AbortSignal;
  /** Takes one of the few places in which a denied refresh may wait; undefined when all are taken. */
  waitingPlace: () => { release: () => void } | undefined;
  log: Log;
}

/** An api that still wants the frame has asked again long since. */
const MAX_JOB_AGE_MS = 60_000;
const MAX_WAIT_IN_PLACE_MS = 2000;
/** What a send may still take after the last look at the clock. */
const SEND_MARGIN_MS = 50;

/** One refresh job: permit → capture → store → announce. */
export async function refresh(job: RefreshJob, deps: RefreshDeps): Promise<RefreshOutcome> {
  const nowMs = deps.redisNowMs();
  if (nowMs !== undefined && nowMs - job.askedAtMs > MAX_JOB_AGE_MS) {
    return 'dropped: asked too long ago';
  }
  const camera = await cameraOfJob(job, deps);
  if (!camera) return 'failed: not allowed here';
  const taken = await takePermit(camera, deps);
  if (taken.outcome === 'granted') return await callCamera(taken.permit, deps);
  if (taken.outcome === 'unknown') return `denied: ${taken.reason}`;
  await deps.reporter.wait(camera, taken.reason, taken.waitMs);
  return `denied: ${taken.reason}`;
}

/**
 * The id is derived from the URL that is about to be called: under another query policy, as in a
 * rolling upgrade, one resource would have two ids and two permits.
 */
async function cameraOfJob(job: RefreshJob, deps: RefreshDeps): Promise<Camera | undefined> {
  try {
    const camera = findCamera(job.url, deps.sources);
    if (camera.cameraId === job.cameraId) return camera;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
  }
  deps.log.warn({ cameraId: job.cameraId }, 'refresh refused: this worker has no such camera');
  const reason = 'no source of the worker allows this camera';
  await deps.reporter.refused(job.cameraId, { status: 403, reason });
  return undefined;
}

/** A short wait for a permit is spent here, once; a long one is announced and ends the job. */
async function takePermit(camera: Camera, deps: RefreshDeps): Promise<Take> {
  const first = await deps.permits.take(camera);
  const mayWait =
    first.outcome === 'denied' &&
    (first.reason === 'spaced' || first.reason === 'budget') &&
    first.waitMs <= MAX_WAIT_IN_PLACE_MS;
  const place = mayWait ? deps.waitingPlace() : undefined;
  if (!mayWait || !place) return first;
  try {
    await deps.clock.sleep(first.waitMs + 1, deps.closing);
  } catch {
    return first;
  } finally {
    place.release();
  }
  return await deps.permits.take(camera);
}

async function callCamera(permit: Permit, deps: RefreshDeps): Promise<RefreshOutcome> {
  const { camera, elapsedMs } = permit;
  const allowanceMs = camera.source.startAllowanceMs;
  const restMs = spacingMs(camera.source);
  const prepared = await deps.prepareCall(camera, allowanceMs - elapsedMs(), deps.closing);
  if (prepared.outcome === 'failed') {
    return await reportFailure(permit, prepared, { verdict: 'fail', restMs }, deps);
  }
  if (prepared.outcome === 'aborted') {
    await finish(permit, () => ({ verdict: 'none', restMs: 0 }), deps);
    return 'aborted';
  }
  if (elapsedMs() > allowanceMs - SEND_MARGIN_MS) {
    prepared.call.destroy();
    const failure = { status: 504 as const, reason: 'the connection came too late for its permit' };
    return await reportFailure(permit, failure, { verdict: 'fail', restMs }, deps);
  }
  return await sendCall(permit, prepared.call, deps);
}

async function sendCall(
  permit: Permit,
  call: PreparedCall,
  deps: RefreshDeps,
): Promise<RefreshOutcome> {
  const { camera } = permit;
  const answered = call.send(deps.closing);
  const sinceSentMs = startStopwatch(deps.clock);
  if (permit.elapsedMs() > camera.source.startAllowanceMs) {
    // Between the last look and the send the process was stopped; the permit may not cover this.
    call.destroy();
    deps.log.warn({ cameraId: camera.cameraId }, 'a call was sent too late and cut off');
  }
  deps.reporter.started(camera);
  const capture = await answered;
  const sinceCapturedMs = startStopwatch(deps.clock);
  const restMs = () => Math.max(1, spacingMs(camera.source) - sinceSentMs());
  if (capture.outcome === 'aborted') {
    await finish(permit, () => ({ verdict: 'none', restMs: restMs() }), deps);
    return 'aborted';
  }
  if (capture.outcome === 'failed') {
    const atLeastMs = backoffOf(capture, camera.source);
    const end = { verdict: 'fail', restMs: restMs(), atLeastMs } as const;
    return await reportFailure(permit, capture, end, deps);
  }
  const nextMs = await finish(permit, () => ({ verdict: 'ok', restMs: restMs() }), deps);
  return await storeCapture(camera, capture, { sinceSentMs, sinceCapturedMs, nextMs }, deps);
}

async function storeCapture(
  camera: Camera,
  capture: Extract<Capture, { outcome: 'captured' }>,
  times: { sinceSentMs: () => number; sinceCapturedMs: () => number; nextMs: () => number },
  deps: RefreshDeps,
): Promise<RefreshOutcome> {
  try {
    const stored = await deps.reporter.frame(camera, () => ({
      bytes: capture.bytes,
      contentType: capture.contentType,
      etag: etagOf(capture.bytes),
      startedAgoMs: times.sinceSentMs(),
      capturedAgoMs: times.sinceCapturedMs(),
      nextMs: times.nextMs(),
    }));
    return stored === 'frame' ? 'captured' : stored === 'unchanged' ? 'unchanged' : 'overtaken';
  } catch (error) {
    return `failed: frame not stored: ${messageOf(error)}`;
  }
}

/** A camera that we hung up on may still be working; one that asks for patience gets it. */
function backoffOf(
  { status, retryAfterMs = 0 }: { status: number; retryAfterMs?: number },
  source: Source,
): number {
  return status === 504 ? source.timeoutMs : retryAfterMs;
}

async function reportFailure(
  permit: Permit,
  { status, reason }: { status: 403 | 502 | 504; reason: string },
  end: Finish,
  deps: RefreshDeps,
): Promise<RefreshOutcome> {
  const nextMs = await finish(permit, () => end, deps);
  await deps.reporter.failed(permit.camera, { status, reason, nextMs: nextMs() });
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
  deps: RefreshDeps,
): Promise<() => number> {
  const lastMs = await deps.reporter.finish(permit, endNow);
  const sinceMs = startStopwatch(deps.clock);
  return () => Math.max(0, Math.ceil(lastMs - sinceMs()));
}
