import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Failure, Rejection } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import { type Problem, ProblemError } from '@lastframe/shared/process/errors';
import type { FrameReader, ReadCamera } from '../cache/frame-reader.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import { freshnessAt, touch } from '../cache/held-frame.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { Demand } from '../demand/demand.ts';
import type { FleetStatus } from '../demand/fleet-status.ts';
import type { FrameWaiters, WaitEnd } from './frame-waiters.ts';

/** How long a cold request waits when the fleet cannot call: a worker may be starting. */
const CLOSED_GRACE_MS = 2500;
/** How long it retries an unreadable frame store: a lost connection is usually back soon. */
const UNREAD_GRACE_MS = 2500;
const READ_AGAIN_MS = 200;

/** Limit on a long poll: proxies close connections that stay idle for longer. */
const MAX_WAIT_S = 60;

export interface LookupDeps {
  clock: Clock;
  memory: MemoryCache;
  reader: FrameReader;
  demand: Demand;
  waiters: FrameWaiters;
  fleet: FleetStatus;
  coldWaitMs: number;
}

/**
 * Where a frame was found, for `Cache-Status` (RFC 9211). The request waited for a `stored` one,
 * and for a `collapsed` one together with an earlier request.
 */
export type FrameOrigin = 'memory' | 'redis' | 'stored' | 'collapsed';

export interface Found {
  held: HeldFrame;
  origin: FrameOrigin;
}

/**
 * Returns the frame in memory without waiting, fresh or stale; undefined if there is none or it has
 * expired. A stale frame raises demand.
 */
export function serveFromMemory(
  camera: Camera,
  deps: Pick<LookupDeps, 'clock' | 'memory' | 'demand'>,
): HeldFrame | undefined {
  const held = deps.memory.get(camera.cameraId);
  return held && serveUnlessExpired(held, camera, deps);
}

/** Returns the frame unless it has expired; a stale one raises demand. It need not be in memory. */
function serveUnlessExpired(
  held: HeldFrame,
  camera: Camera,
  deps: Pick<LookupDeps, 'clock' | 'memory' | 'demand'>,
): HeldFrame | undefined {
  const { clock, memory, demand } = deps;
  const nowMonoMs = clock.monoMs();
  const freshness = freshnessAt(held, nowMonoMs, camera);
  if (freshness === 'expired') {
    memory.delete(camera.cameraId);
    return undefined;
  }
  touch(held, nowMonoMs, camera);
  // Demand also reads the store if the frame may be outdated.
  if (freshness === 'stale' || held.mayBeOutdated) demand.raise(camera);
  return held;
}

/** The client of a request that may have to wait. */
export interface Requester {
  /** Its address or an equivalent, by which waiting slots are shared fairly. */
  client: string;
  /** Aborts when the client leaves. */
  signal: AbortSignal;
  /** Returns the time until it may request a camera that has no frame; 0 if it may now. */
  newCameraWaitMs: (cameraId: string) => number;
}

/** A client's request for a frame. */
export interface LookupRequest {
  requester: Requester;
  /** `Prefer: respond-async`: respond at once, with or without a frame. */
  respondAsync: boolean;
  /** `Prefer: wait`, in seconds. */
  waitS: number | undefined;
  /** Returns whether the client already has this frame; undefined if it did not say what it has. */
  hasFrame: ((held: HeldFrame) => boolean) | undefined;
}

/** The frame that answers a request, or why there is none. */
export type FrameLookup = ({ found: Found } | { problem: Problem }) & {
  /** For `Preference-Applied`. */
  applied?: string;
};

/**
 * Chooses the frame that answers a request: the one in memory, in Redis, or the camera's first. If
 * the client already has that one and waits (`Prefer: wait`), the next one.
 * @throws ProblemError if there is none in time and the request has no preference, or if too many
 *   requests wait for a next frame
 */
export async function lookUpFrame(
  camera: Camera,
  request: LookupRequest,
  deps: LookupDeps,
): Promise<FrameLookup> {
  const { requester, waitS = 0, hasFrame } = request;
  const held = serveFromMemory(camera, deps);
  const first: FrameLookup = held
    ? { found: { held, origin: 'memory' } }
    : await firstFrame(camera, request, deps);
  if (waitS === 0 || !('found' in first) || !hasFrame?.(first.found.held)) return first;
  const appliedS = Math.min(waitS, MAX_WAIT_S);
  const isNew = (frame: HeldFrame) => !hasFrame(frame);
  const next = await nextFrame(camera, requester, { timeoutMs: appliedS * 1000, isNew }, deps);
  const last = next ?? serveFromMemory(camera, deps);
  // It may have been purged meanwhile; Redis knows.
  const lookup: FrameLookup = last
    ? { found: { held: last, origin: 'memory' } }
    : await firstFrame(camera, { ...request, respondAsync: true, waitS: 0 }, deps);
  return { ...lookup, applied: `wait=${appliedS}` };
}

/** Returns the frame in Redis or the camera's first; waits no longer than the client wants. */
async function firstFrame(
  camera: Camera,
  { requester, respondAsync, waitS }: LookupRequest,
  deps: LookupDeps,
): Promise<FrameLookup> {
  const preferredMs = waitS === undefined ? (respondAsync ? 0 : undefined) : waitS * 1000;
  const coldWaitMs = Math.min(deps.coldWaitMs, preferredMs ?? deps.coldWaitMs);
  const applied = waitS === undefined ? 'respond-async' : `wait=${coldWaitMs / 1000}`;
  try {
    const found = await frameFromRedisOrCamera(camera, requester, { ...deps, coldWaitMs });
    const hasWaited = found.origin === 'stored' || found.origin === 'collapsed';
    return { found, ...(hasWaited && waitS !== undefined && { applied }) };
  } catch (error) {
    if (preferredMs === undefined || !(error instanceof ProblemError)) throw error;
    return { problem: error.problem, applied };
  }
}

/**
 * Returns the frame in Redis, or the camera's first one, which all waiting requests share.
 * @throws ProblemError if there is none in time
 */
async function frameFromRedisOrCamera(
  camera: Camera,
  { client, signal, newCameraWaitMs }: Requester,
  deps: LookupDeps,
): Promise<Found> {
  const { clock, demand, waiters, coldWaitMs } = deps;
  const stopWaiting = new AbortController();
  // Starts to wait before it reads Redis, so that a frame stored in between is not missed.
  const waited = waiters.wait(
    camera,
    coldWaitMs,
    AbortSignal.any([signal, stopWaiting.signal]),
    client,
  );
  let turnedAway = false;
  void waited.then(({ end }) => {
    turnedAway = end === 'full';
  });
  try {
    const { held, failure } = await readWithRetries(camera, signal, deps, () => turnedAway);
    const usable = held && serveUnlessExpired(held, camera, deps);
    if (usable) {
      // The camera is watched from now on, so its next refresh is requested when due.
      if (deps.memory.has(camera.cameraId)) demand.raise(camera);
      return { held: usable, origin: 'redis' };
    }
    const leftMs = newCameraWaitMs(camera.cameraId);
    if (leftMs > 0) throw notYet('too many new cameras requested from your address', leftMs);
    const rejection = demand.rejection(camera.cameraId);
    if (rejection) throw newCameraRejected(rejection, demand.announcedWaitMs(camera.cameraId));
    const crowdedMs = demand.newCameraWaitMs(camera.cameraId);
    if (crowdedMs > 0)
      throw notYet('more new cameras are waiting than can be called soon', crowdedMs);
    // Otherwise a flood of new cameras would fill the queue despite the limit on waiting requests.
    if (!turnedAway) demand.raise(camera);
    if (failure) throw failureProblem(failure);
    const announcedMs = demand.announcedWaitMs(camera.cameraId);
    if (announcedMs > coldWaitMs) throw notYet('this camera cannot be called yet', announcedMs);
    const end = await waitWhileCallable(waited, stopWaiting.signal, deps);
    if (end.end === 'frame') touch(end.held, clock.monoMs());
    return foundOrThrow(end, demand.announcedWaitMs(camera.cameraId));
  } finally {
    stopWaiting.abort();
  }
}

/**
 * Waits for a frame that is new to the viewer; returns undefined if none arrives in time. They
 * count as present, so the camera is refreshed meanwhile.
 * @throws ProblemError if too many are waiting already
 */
async function nextFrame(
  camera: Camera,
  { client, signal }: Pick<Requester, 'client' | 'signal'>,
  wait: { timeoutMs: number; isNew: (held: HeldFrame) => boolean },
  { waiters, demand, clock }: LookupDeps,
): Promise<HeldFrame | undefined> {
  const waited = waiters.waitForNext(camera, wait.timeoutMs, signal, client, wait.isNew);
  // Even while the frame is fresh: with a viewer present, the refresh is requested when due.
  demand.raise(camera);
  const end = await waited;
  if (end.end === 'full') throw tooManyWaiting();
  if (end.end === 'timeout') return undefined;
  touch(end.held, clock.monoMs());
  return end.held;
}

async function readWithRetries(
  camera: Camera,
  signal: AbortSignal,
  { reader, clock, coldWaitMs }: LookupDeps,
  isTurnedAway: () => boolean,
): Promise<ReadCamera> {
  // Retries no longer than the client waits, and only while it has a waiting slot.
  const lastTryMonoMs = clock.monoMs() + Math.min(UNREAD_GRACE_MS, coldWaitMs) - READ_AGAIN_MS;
  for (;;) {
    try {
      return await reader.read(camera);
    } catch (cause) {
      const mayTryAgain = !isTurnedAway() && clock.monoMs() <= lastTryMonoMs;
      if (mayTryAgain) await clock.sleep(READ_AGAIN_MS, signal).catch(() => {});
      if (mayTryAgain && !signal.aborted) continue;
      const detail = 'no frame in memory, and Redis cannot be reached';
      throw notYet(detail, 2000, cause);
    }
  }
}

/** Returns how the wait ended, or why no worker can call, after a grace period for one to start. */
async function waitWhileCallable(
  waited: Promise<WaitEnd>,
  signal: AbortSignal,
  { fleet, clock }: LookupDeps,
): Promise<WaitEnd | { end: 'closed'; because: string }> {
  if (fleet.whyCannotCall() === undefined) return await waited;
  const grace = clock.sleep(CLOSED_GRACE_MS, signal).catch(() => {});
  const end = await Promise.race([waited, grace]);
  const because = fleet.whyCannotCall();
  if (end) return end;
  return because === undefined ? await waited : { end: 'closed', because };
}

function foundOrThrow(end: Awaited<ReturnType<typeof waitWhileCallable>>, waitMs: number): Found {
  switch (end.end) {
    case 'closed':
      throw notYet(`no worker can call this camera now: ${end.because}`, 2000);
    case 'frame':
      return { held: end.held, origin: end.joined ? 'collapsed' : 'stored' };
    case 'failure':
      throw failureProblem(end.failure);
    case 'wait':
      if (end.rejection) throw newCameraRejected(end.rejection, end.inMs);
      throw notYet('this camera cannot be called yet', end.inMs);
    case 'full':
      throw tooManyWaiting();
    case 'timeout':
      throw notYet('no frame arrived in time; try again', waitMs);
  }
}

function failureProblem(failure: Failure): ProblemError {
  const { status, reason, nextMs, error, receivedStatus } = failure;
  const codes = { 403: 'address-refused', 502: 'camera-failed', 504: 'camera-timed-out' } as const;
  return new ProblemError({
    status,
    code: codes[status],
    detail: reason,
    retryAfterMs: nextMs,
    proxyError: error,
    receivedStatus,
  });
}

function notYet(detail: string, retryAfterMs: number, cause?: unknown): ProblemError {
  return new ProblemError({ status: 503, code: 'no-frame-yet', detail, retryAfterMs }, { cause });
}

const REJECTED = {
  places: 'this source has reached its limit of cameras; try again later',
  memory: 'no memory left for new cameras; try again later',
} satisfies Record<Rejection, string>;

function newCameraRejected(rejection: Rejection, retryAfterMs: number): ProblemError {
  const detail = REJECTED[rejection];
  return new ProblemError({ status: 503, code: 'too-many-cameras', detail, retryAfterMs });
}

function tooManyWaiting(): ProblemError {
  return notYet('too many requests are waiting for a frame', 5000);
}
