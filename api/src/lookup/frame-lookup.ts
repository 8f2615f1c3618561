import type { Camera } from '@lastframe/shared/cameras/camera';
import { freshnessOf } from '@lastframe/shared/frames/frame';
import type { Failure } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import { type Problem, ProblemError } from '@lastframe/shared/process/errors';
import type { FrameReader, ReadCamera } from '../cache/frame-reader.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import { touch } from '../cache/held-frame.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { Demand } from '../demand/demand.ts';
import type { FleetStatus } from '../demand/fleet-status.ts';
import type { Refusal } from '../demand/refresh-schedule.ts';
import type { FrameWaiters, WaitEnd } from './frame-waiters.ts';

/** How long a cold request hopes that a fleet which can't call now soon can. */
const CLOSED_GRACE_MS = 2500;
/** How long it hopes for a frame store that can't be read: a link that was lost is soon there again. */
const UNREAD_GRACE_MS = 2500;
const READ_AGAIN_MS = 200;

/** A long poll is not held longer than proxies hold a connection. */
const MAX_WAIT_S = 60;

export interface LookupDeps {
  clock: Clock;
  memory: MemoryCache;
  reader: FrameReader;
  demand: Demand;
  coldWait: FrameWaiters;
  fleet: FleetStatus;
  coldWaitMs: number;
}

/** Where a frame was found, for `Cache-Status` (RFC 9211). */
export type Origin = 'memory' | 'redis' | 'stored' | 'collapsed';

export interface Found {
  held: HeldFrame;
  origin: Origin;
}

/**
 * The frame in memory, at once and however old, unless it is gone. A stale one raises demand.
 * Nothing here waits for anything.
 */
export function frameInMemory(
  camera: Camera,
  deps: Pick<LookupDeps, 'clock' | 'memory' | 'demand'>,
): HeldFrame | undefined {
  const held = deps.memory.get(camera.cameraId);
  return held && useFrame(held, camera, deps);
}

/** What a request does with a frame, wherever it was found: one too large for memory is only read. */
function useFrame(
  held: HeldFrame,
  camera: Camera,
  deps: Pick<LookupDeps, 'clock' | 'memory' | 'demand'>,
): HeldFrame | undefined {
  const { clock, memory, demand } = deps;
  const nowMonoMs = clock.monoMs();
  const freshness = freshnessOf(nowMonoMs - held.startedMonoMs, camera.source);
  if (freshness === 'expired') {
    memory.delete(camera.cameraId);
    return undefined;
  }
  touch(held, nowMonoMs, camera);
  // Of one that may not be the last one any more, the store is asked.
  if (freshness === 'stale' || held.mayBeOutdated) demand.raise(camera);
  return held;
}

/** The client of a request that may have to wait. */
export interface Asker {
  /** Its address, or what stands for it: clients share the places of those that wait. */
  client: string;
  /** It has left. */
  signal: AbortSignal;
  /** How long it is until it may ask for a camera that has no frame; 0 when it may. */
  mayAskInMs: (cameraId: string) => number;
}

/** How a client wants to be answered. */
export interface LookupRequest {
  asker: Asker;
  /** `Prefer: respond-async`: an answer at once, whatever it is. */
  respondAsync: boolean;
  /** `Prefer: wait`, in seconds. */
  waitS: number | undefined;
  /** Whether the client has this frame already; undefined if it did not say what it has. */
  hasFrame: ((held: HeldFrame) => boolean) | undefined;
}

/** The frame that answers a request, or why there is none. */
export type FrameLookup = ({ found: Found } | { problem: Problem }) & {
  /** For `Preference-Applied`. */
  applied?: string;
};

/**
 * Chooses the frame that answers a request: the one in memory, in Redis, or the first that the
 * camera sends. If the client has that one and waits (`Prefer: wait`), the next one.
 * @throws ProblemError when there is none in time and the request has no preference
 */
export async function lookUpFrame(
  camera: Camera,
  request: LookupRequest,
  deps: LookupDeps,
): Promise<FrameLookup> {
  const { asker, waitS = 0, hasFrame } = request;
  const held = frameInMemory(camera, deps);
  const first: FrameLookup = held
    ? { found: { held, origin: 'memory' } }
    : await firstFrame(camera, request, deps);
  if (waitS === 0 || !('found' in first) || !hasFrame?.(first.found.held)) return first;
  const appliedS = Math.min(waitS, MAX_WAIT_S);
  const isNew = (frame: HeldFrame) => !hasFrame(frame);
  const next = await nextFrame(camera, asker, { timeoutMs: appliedS * 1000, isNew }, deps);
  const last = next ?? frameInMemory(camera, deps);
  // It may have been purged meanwhile; Redis knows.
  const lookup: FrameLookup = last
    ? { found: { held: last, origin: 'memory' } }
    : await firstFrame(camera, { ...request, respondAsync: true, waitS: 0 }, deps);
  return { ...lookup, applied: `wait=${appliedS}` };
}

/** The frame in Redis, or the first one, for which no client waits longer than it wants. */
async function firstFrame(
  camera: Camera,
  { asker, respondAsync, waitS }: LookupRequest,
  deps: LookupDeps,
): Promise<FrameLookup> {
  const preferredMs = waitS === undefined ? (respondAsync ? 0 : undefined) : waitS * 1000;
  const coldWaitMs = Math.min(deps.coldWaitMs, preferredMs ?? deps.coldWaitMs);
  const applied = waitS === undefined ? 'respond-async' : `wait=${coldWaitMs / 1000}`;
  try {
    const found = await frameFromRedisOrCamera(camera, asker, { ...deps, coldWaitMs });
    const hasWaited = found.origin === 'stored' || found.origin === 'collapsed';
    return { found, ...(hasWaited && waitS !== undefined && { applied }) };
  } catch (error) {
    if (preferredMs === undefined || !(error instanceof ProblemError)) throw error;
    return { problem: error.problem, applied };
  }
}

/**
 * The frame in Redis, else the first frame that the camera gives, however many wait for it.
 * @throws ProblemError when there is none in time
 */
async function frameFromRedisOrCamera(
  camera: Camera,
  { client, signal, mayAskInMs }: Asker,
  deps: LookupDeps,
): Promise<Found> {
  const { clock, demand, coldWait, coldWaitMs } = deps;
  const found = new AbortController();
  // The wait is entered before Redis is read: a frame that comes in between must not be missed.
  const waited = coldWait.wait(camera, coldWaitMs, AbortSignal.any([signal, found.signal]), client);
  let turnedAway = false;
  void waited.then(({ end }) => {
    turnedAway = end === 'full';
  });
  try {
    const { held, failure } = await readOrExplain(camera, signal, deps, () => turnedAway);
    const offered = held && useFrame(held, camera, deps);
    if (offered) {
      // From now on it is watched here, so it is asked for again when it is due.
      if (deps.memory.has(camera.cameraId)) demand.raise(camera);
      return { held: offered, origin: 'redis' };
    }
    const leftMs = mayAskInMs(camera.cameraId);
    if (leftMs > 0) throw notYet('too many new cameras are asked for from this address', leftMs);
    const refusal = demand.refusal(camera.cameraId);
    if (refusal) throw newCameraRefused(refusal, demand.announcedWaitMs(camera.cameraId));
    // Else a flood of new cameras would fill the queue however few may wait.
    if (!turnedAway) demand.raise(camera);
    if (failure) throw failureProblem(failure);
    const toldMs = demand.announcedWaitMs(camera.cameraId);
    if (toldMs > coldWaitMs) throw notYet('the camera may not be called yet', toldMs);
    const end = await endWhileOpen(waited, found.signal, deps);
    if (end.end === 'frame') touch(end.held, clock.monoMs());
    return foundAtTheEnd(end, demand.announcedWaitMs(camera.cameraId));
  } finally {
    found.abort();
  }
}

/**
 * The next frame that is new to the viewer, however long that takes within the time; undefined when
 * none came. He counts as present, so the camera is refreshed meanwhile.
 * @throws ProblemError when too many wait already
 */
async function nextFrame(
  camera: Camera,
  { client, signal }: Pick<Asker, 'client' | 'signal'>,
  wait: { timeoutMs: number; isNew: (held: HeldFrame) => boolean },
  { coldWait, demand, clock }: LookupDeps,
): Promise<HeldFrame | undefined> {
  const waited = coldWait.waitForNext(camera, wait.timeoutMs, signal, client, wait.isNew);
  // Also while the frame is fresh: it is asked for again when it is due, because somebody is present.
  demand.raise(camera);
  const end = await waited;
  if (end.end === 'full') throw tooManyWait();
  if (end.end === 'timeout') return undefined;
  touch(end.held, clock.monoMs());
  return end.held;
}

async function readOrExplain(
  camera: Camera,
  signal: AbortSignal,
  { reader, clock, coldWaitMs }: LookupDeps,
  isTurnedAway: () => boolean,
): Promise<ReadCamera> {
  // Never longer than the client waits, and only with a place among the requests that wait.
  const lastTryMonoMs = clock.monoMs() + Math.min(UNREAD_GRACE_MS, coldWaitMs) - READ_AGAIN_MS;
  for (;;) {
    try {
      return await reader.read(camera);
    } catch (cause) {
      const mayTryAgain = !isTurnedAway() && clock.monoMs() <= lastTryMonoMs;
      if (mayTryAgain) await clock.sleep(READ_AGAIN_MS, signal).catch(() => {});
      if (mayTryAgain && !signal.aborted) continue;
      const detail = 'no frame in memory here, and the frame store can not be reached';
      throw notYet(detail, 2000, cause);
    }
  }
}

/** The end of the wait, or why it can't end well; a worker that just starts is worth a moment. */
async function endWhileOpen(
  waited: Promise<WaitEnd>,
  signal: AbortSignal,
  { fleet, clock }: LookupDeps,
): Promise<WaitEnd | { end: 'closed'; because: string }> {
  if (fleet.closedBecause() === undefined) return await waited;
  const grace = clock.sleep(CLOSED_GRACE_MS, signal).catch(() => {});
  const end = await Promise.race([waited, grace]);
  const because = fleet.closedBecause();
  if (end) return end;
  return because === undefined ? await waited : { end: 'closed', because };
}

function foundAtTheEnd(end: Awaited<ReturnType<typeof endWhileOpen>>, waitMs: number): Found {
  switch (end.end) {
    case 'closed':
      throw notYet(`the fleet can not call this camera now: ${end.because}`, 2000);
    case 'frame':
      return { held: end.held, origin: end.joined ? 'collapsed' : 'stored' };
    case 'failure':
      throw failureProblem(end.failure);
    case 'wait':
      if (end.refusal) throw newCameraRefused(end.refusal, end.inMs);
      throw notYet('the camera may not be called yet', end.inMs);
    case 'full':
      throw tooManyWait();
    case 'timeout':
      throw notYet('no frame came in time; ask again', waitMs);
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

const REFUSED = {
  places: 'this source already has as many cameras as it may have; ask again later',
  memory: 'there is no memory for new cameras now; ask again later',
} satisfies Record<Refusal, string>;

function newCameraRefused(refusal: Refusal, retryAfterMs: number): ProblemError {
  const detail = REFUSED[refusal];
  return new ProblemError({ status: 503, code: 'too-many-cameras', detail, retryAfterMs });
}

function tooManyWait(): ProblemError {
  return notYet('too many requests wait for a frame', 5000);
}
