import type { Camera } from '@lastframe/shared/cameras/camera';
import { findCameraByName, findCameraByUrl, type RulesNow } from '@lastframe/shared/cameras/rules';
import type { Source } from '@lastframe/shared/cameras/source';
import { spacingMs } from '@lastframe/shared/cameras/spacing';
import type { RefreshJob } from '@lastframe/shared/messages/refresh-job';
import { ProblemError } from '@lastframe/shared/process/errors';
import type { CameraPlaces } from '../admission/camera-places.ts';
import type { Permits, Take } from '../permit/permits.ts';
import { type CallOutcome, callWithPermit, type PermittedCallDeps } from './permitted-call.ts';

/** How a refresh job ended, as the dashboard and the metrics show it. */
export type RefreshOutcome = CallOutcome | 'dropped: asked too long ago' | `denied: ${string}`;

export interface RefreshDeps extends PermittedCallDeps {
  permits: Pick<Permits, 'take'>;
  places: Pick<CameraPlaces, 'admit' | 'leave'>;
  rules: RulesNow;
  /** Redis's time, undefined while unknown. */
  redisNowMs: () => number | undefined;
  /** Takes one of the few places in which a denied refresh may wait; undefined when all are taken. */
  waitingPlace: () => { release: () => void } | undefined;
}

/** An api that still wants the frame has asked again long since. */
const MAX_JOB_AGE_MS = 60_000;
const MAX_WAIT_IN_PLACE_MS = 2000;

/** One refresh job: place → permit → capture → store → announce. */
export async function refresh(job: RefreshJob, deps: RefreshDeps): Promise<RefreshOutcome> {
  const nowMs = deps.redisNowMs();
  if (nowMs !== undefined && nowMs - job.askedAtMs > MAX_JOB_AGE_MS) {
    return 'dropped: asked too long ago';
  }
  const camera = await cameraOfJob(job, deps);
  if (!camera) return 'failed: not allowed here';
  const admission = await deps.places.admit(camera);
  if (admission.outcome === 'unknown') return `denied: ${admission.reason}`;
  if (admission.outcome === 'refused') {
    await deps.reporter.wait(camera, admission.reason, admission.waitMs);
    return `denied: ${admission.reason}`;
  }
  const taken = await takePermit(camera, job, deps);
  if (taken.outcome === 'granted') {
    return await callWithPermit(taken.permit, { ...deps, askedBy: job.askedBy });
  }
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
    const rules = deps.rules();
    const camera =
      'name' in job ? findCameraByName(job.name, rules) : findCameraByUrl(job.url, rules);
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
async function takePermit(camera: Camera, job: RefreshJob, deps: RefreshDeps): Promise<Take> {
  const first = await deps.permits.take(camera);
  const mayWait =
    first.outcome === 'denied' &&
    (first.reason === 'spaced' || first.reason === 'budget') &&
    first.waitMs <= MAX_WAIT_IN_PLACE_MS &&
    !isServed(job, first, camera.source, deps.redisNowMs());
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

/**
 * A call was sent after the job was asked for: who asked gets that frame, and asks again for another.
 * Without this a queue that was stuck for a while calls every camera twice.
 */
function isServed(
  { askedAtMs }: RefreshJob,
  { reason, waitMs }: Extract<Take, { outcome: 'denied' }>,
  source: Source,
  nowMs: number | undefined,
): boolean {
  const sentAgoMs = spacingMs(source) - waitMs;
  return reason === 'spaced' && nowMs !== undefined && nowMs - askedAtMs > sentAgoMs;
}
