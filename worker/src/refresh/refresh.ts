import type { Camera } from '@lastframe/shared/cameras/camera';
import { findCameraByName, findCameraByUrl } from '@lastframe/shared/cameras/rules';
import type { Source } from '@lastframe/shared/cameras/source';
import { spacingMs } from '@lastframe/shared/cameras/spacing';
import type { RefreshJob } from '@lastframe/shared/messages/refresh-job';
import { ProblemError } from '@lastframe/shared/process/errors';
import type { CameraPlaces } from '../admission/camera-places.ts';
import { targetCamera } from '../camera-call/redirect.ts';
import type { Permits, TakeResult } from '../permit/permits.ts';
import type { CallPermits, CallTarget } from './end-call.ts';
import type { FairSlots } from './fair-slots.ts';
import { DROPPED, denied, deniedAsUnknown, failed, type RefreshOutcome } from './outcome.ts';
import { callWithPermit, type PermittedCallDeps } from './permitted-call.ts';
import type { RedirectTargets } from './redirect-targets.ts';
import { waitInPlace } from './wait-in-place.ts';
import type { ReserveSlot } from './waiting-slots.ts';

export interface RefreshDeps extends PermittedCallDeps {
  permits: Pick<Permits, 'take'>;
  places: Pick<CameraPlaces, 'admit' | 'keepPlace' | 'releasePlace'>;
  redirects: RedirectTargets;
  slots: FairSlots;
  /** For one of the few slots that denied refreshes may wait in. */
  reserveWaitingSlot: ReserveSlot;
}

/** An api that still wants the frame has requested it again by then. */
const MAX_JOB_AGE_MS = 60_000;
const MAX_WAIT_IN_PLACE_MS = 2000;
/** Calls end all the time. */
const SHARE_RETRY_MS = 250;

/** Runs one refresh job: place → permit → capture → store → announce. */
export async function refresh(job: RefreshJob, deps: RefreshDeps): Promise<RefreshOutcome> {
  const queuedMs = queuedMsOf(job, deps);
  if (queuedMs !== undefined && queuedMs > MAX_JOB_AGE_MS) return DROPPED;
  const camera = await findCameraOrReject(job, deps);
  if (!camera) return failed('rules', 'not allowed');
  const leave = deps.slots.enter(camera.source.name, job.isFirst === true);
  if (!leave) {
    await deps.results.announceWait(camera, 'share', SHARE_RETRY_MS);
    return denied('share');
  }
  try {
    return await callIfPermitted(camera, job, { ...deps, queuedMs });
  } finally {
    leave();
  }
}

async function callIfPermitted(
  camera: Camera,
  job: RefreshJob,
  deps: RefreshDeps,
): Promise<RefreshOutcome> {
  const admission = await deps.places.admit(camera);
  if (admission.outcome === 'unknown') return deniedAsUnknown(admission.reason);
  if (admission.outcome === 'rejected') {
    await deps.results.announceWait(camera, admission.reason, admission.waitMs);
    return denied(admission.reason);
  }
  const target = await findTarget(camera, deps);
  const permits = await takePermits(camera, target, job, deps);
  if (permits.outcome !== 'granted') return await reportDenial(camera, permits, deps);
  return await callWithPermit(permits, { ...deps, askedBy: job.askedBy });
}

type NotGranted = Exclude<TakeResult, { outcome: 'granted' }>;

/** Takes a permit for the camera, and one for the target of its redirect. */
async function takePermits(
  camera: Camera,
  target: CallTarget | undefined,
  job: RefreshJob,
  deps: RefreshDeps,
): Promise<({ outcome: 'granted' } & CallPermits) | NotGranted> {
  const isElsewhere = target !== undefined && target.camera.cameraId !== camera.cameraId;
  const own = await takePermit(camera, job, deps, isElsewhere);
  if (own.outcome !== 'granted') return own;
  if (!isElsewhere) return { ...own, target };
  const ofTarget = await takeTargetPermit(target.camera, job, deps);
  if (ofTarget.outcome === 'granted') {
    return { ...own, target: { ...target, permit: ofTarget.permit } };
  }
  await deps.finishPermit(own.permit, () => ({ verdict: 'none', restMs: 0 }));
  return busyAsSpaced(ofTarget, camera);
}

/**
 * The end of another call to the target is not announced for this camera, so it tries again after an
 * interval.
 */
function busyAsSpaced(result: NotGranted, { source }: Camera): NotGranted {
  if (result.outcome !== 'denied' || result.reason !== 'busy') return result;
  return { ...result, reason: 'spaced', waitMs: Math.min(result.waitMs, spacingMs(source)) };
}

/** Returns the target that the camera's last response redirected to, if its source allows that. */
async function findTarget(
  camera: Camera,
  { redirects, rules }: RefreshDeps,
): Promise<CallTarget | undefined> {
  const redirect = await redirects.read(camera);
  const called = redirect && targetCamera(camera, redirect, rules());
  return called && { redirect, camera: called };
}

async function reportDenial(
  camera: Camera,
  result: NotGranted,
  { results }: RefreshDeps,
): Promise<RefreshOutcome> {
  if (result.outcome === 'unknown') return deniedAsUnknown(result.reason);
  await results.announceWait(camera, result.reason, result.waitMs);
  return denied(result.reason);
}

/** Returns how long the job waited in the queue; undefined while Redis's time is unknown. */
function queuedMsOf({ askedAtMs }: RefreshJob, { redisNowMs }: RefreshDeps): number | undefined {
  const nowMs = redisNowMs();
  return nowMs === undefined ? undefined : Math.max(0, nowMs - askedAtMs);
}

/**
 * Finds the job's camera under this worker's rules. Its id must match: with a different query
 * policy, as during a rolling upgrade, one camera would have two ids and two permits.
 */
async function findCameraOrReject(job: RefreshJob, deps: RefreshDeps): Promise<Camera | undefined> {
  try {
    const rules = deps.rules();
    const camera =
      'name' in job ? findCameraByName(job.name, rules) : findCameraByUrl(job.url, rules);
    if (camera.cameraId === job.cameraId) return camera;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
  }
  deps.log.warn({ cameraId: job.cameraId }, 'refresh rejected: this worker has no such camera');
  const reason = 'no source of this worker allows this camera';
  await deps.results.storeRejection(job.cameraId, { status: 403, reason });
  return undefined;
}

/** Takes a permit, waiting briefly at most once; the caller announces a longer wait. */
async function takePermit(
  camera: Camera,
  job: RefreshJob,
  deps: RefreshDeps,
  isForSpacing: boolean,
): Promise<TakeResult> {
  const options = { isFirst: job.isFirst, isForSpacing };
  const first = await deps.permits.take(camera, options);
  const mayWait =
    first.outcome === 'denied' &&
    (first.reason === 'spaced' || first.reason === 'budget') &&
    first.waitMs <= MAX_WAIT_IN_PLACE_MS &&
    !isServed(job, first, camera.source, deps.redisNowMs());
  const hasWaited = mayWait && (await waitInPlace(first.waitMs, deps));
  return hasWaited ? await deps.permits.take(camera, options) : first;
}

/** Waits like jobs that want the target itself: otherwise they would always come first. */
async function takeTargetPermit(
  target: Camera,
  { isFirst }: RefreshJob,
  deps: RefreshDeps,
): Promise<TakeResult> {
  const first = await deps.permits.take(target, { isFirst });
  // The time to connect has begun with the first permit.
  const mostMs = Math.min(MAX_WAIT_IN_PLACE_MS, target.source.startAllowanceMs / 2);
  const mayWait = first.outcome === 'denied' && first.reason === 'spaced' && first.waitMs <= mostMs;
  const hasWaited = mayWait && (await waitInPlace(first.waitMs, deps));
  return hasWaited ? await deps.permits.take(target, { isFirst }) : first;
}

/**
 * Returns whether a call was sent after the job was requested: its frame serves that request.
 * Otherwise a queue that was stuck for a while would call every camera twice.
 */
function isServed(
  { askedAtMs }: RefreshJob,
  { reason, waitMs }: Extract<TakeResult, { outcome: 'denied' }>,
  source: Source,
  nowMs: number | undefined,
): boolean {
  const sentAgoMs = spacingMs(source) - waitMs;
  return reason === 'spaced' && nowMs !== undefined && nowMs - askedAtMs > sentAgoMs;
}
