import type { Camera } from '@lastframe/shared/cameras/camera';
import { freshnessOf } from '@lastframe/shared/frames/frame';
import { readCamera } from '@lastframe/shared/frames/frame-store';
import type { StoredCamera } from '@lastframe/shared/frames/stored-camera';
import type { Failure } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import type { FramesRedis } from '@lastframe/shared/redis/cluster/redis-shards';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { FramesClock } from '@lastframe/shared/redis/redis-clock';
import { type HeldFrame, markCurrent, renew } from './held-frame.ts';
import { keepFrame, type MemoryCache } from './memory-cache.ts';
import type { PurgeHistory } from './purge-history.ts';

export interface ReadCamera {
  held?: HeldFrame;
  failure?: Failure;
}

export type ReadListener = (camera: Camera, read: ReadCamera, stored: StoredCamera) => void;

export interface FrameReader {
  /**
   * Updates memory from the frame store. Concurrent reads of a camera share one read of Redis.
   * @throws RedisUnavailableError
   */
  read(camera: Camera): Promise<ReadCamera>;
  /** Like `read`, but does not join a read that has begun, which may miss a new frame. */
  readFromNow(camera: Camera): Promise<ReadCamera>;
  /** Calls the listener after every read. */
  onRead(listener: ReadListener): void;
}

export interface FrameReaderDeps {
  clock: Clock;
  memory: MemoryCache;
  /** Returns whether a stream shows the camera, a request waits for it, or it is kept warm. */
  isPresent: (cameraId: string) => boolean;
  purges: Pick<PurgeHistory, 'verdictFor'>;
  frames: Pick<FramesRedis, 'run'>;
  keys: Keys;
  framesClock: Pick<FramesClock, 'observe'>;
}

const DEADLINE_MS = 1000;
const NEVER_REQUESTED = {
  lastRequestedMonoMs: Number.NEGATIVE_INFINITY,
  watchedUntilMonoMs: Number.NEGATIVE_INFINITY,
};

export function createFrameReader(deps: FrameReaderDeps): FrameReader {
  const listeners: ReadListener[] = [];
  const inFlight = new Map<string, Promise<ReadCamera>>();
  /** The read after a running one, shared by all callers that must not join that one. */
  const nextReads = new WeakMap<Promise<ReadCamera>, Promise<ReadCamera>>();
  const readAndNotify = async (camera: Camera) => {
    const { read, stored } = await readOnce(camera, deps);
    for (const listener of listeners) listener(camera, read, stored);
    return read;
  };
  const read = (camera: Camera) => shared(inFlight, camera.cameraId, () => readAndNotify(camera));
  const readAgain = (camera: Camera) => {
    const running = inFlight.get(camera.cameraId);
    if (!running) return read(camera);
    const readNext = () => read(camera);
    const next = nextReads.get(running) ?? running.then(readNext, readNext);
    nextReads.set(running, next);
    return next;
  };
  return { read, readFromNow: readAgain, onRead: (listener) => void listeners.push(listener) };
}

/** Runs concurrent work for the same key only once. */
function shared<T>(
  running: Map<string, Promise<T>>,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  const joined = running.get(key);
  if (joined) return joined;
  const started = work().finally(() => running.delete(key));
  running.set(key, started);
  return started;
}

async function readOnce(
  camera: Camera,
  deps: FrameReaderDeps,
): Promise<{ read: ReadCamera; stored: StoredCamera }> {
  const { memory, frames, keys } = deps;
  const { cameraId } = camera;
  const knownEtag = memory.peek(cameraId)?.etag;
  const sentMonoMs = deps.clock.monoMs();
  const stored = await frames.run(
    DEADLINE_MS,
    (client) => readCamera(client, keys, cameraId, knownEtag),
    cameraId,
  );
  const receivedMonoMs = deps.clock.monoMs();
  deps.framesClock.observe({ redisMs: stored.nowMs, sentMonoMs, receivedMonoMs });
  // It was evicted meanwhile, so the bytes are needed after all.
  const needsBytes = stored.frame && !stored.frame.bytes && !memory.peek(cameraId);
  if (needsBytes && knownEtag !== undefined) return await readOnce(camera, deps);
  const held = swapIn(camera, stored, deps);
  const read = { ...(held && { held }), ...(stored.failure && { failure: stored.failure }) };
  return { read, stored };
}

/**
 * Replaces the frame in memory with the store's unless memory has a newer one. Expired frames are
 * ignored: the store keeps them a little longer, or much longer if `STALE_FOR` has changed.
 */
function swapIn(
  camera: Camera,
  { frame, nowMs }: StoredCamera,
  { memory, clock, purges, isPresent }: FrameReaderDeps,
): HeldFrame | undefined {
  const before = memory.peek(camera.cameraId);
  if (before) markCurrent(before);
  if (!frame || freshnessOf(frame.startedAgoMs, camera.source, frame.freshForMs) === 'expired')
    return before;
  const verdict = purges.verdictFor(frame, nowMs);
  if (verdict === 'gone') return before;
  const { startedAgoMs, capturedAgoMs, bytes, sizeBytes: _, ...stored } = frame;
  const monoMs = clock.monoMs();
  const { intervalMs } = camera.source;
  const isPurged = verdict === 'stale';
  const dueAgoMs = isPurged ? Math.max(startedAgoMs, intervalMs) : startedAgoMs;
  const times = {
    startedMonoMs: monoMs - dueAgoMs,
    capturedMonoMs: monoMs - capturedAgoMs,
    freshForMs: isPurged ? undefined : frame.freshForMs,
  };
  if (before && !isNewer(before, { ...stored, ...times })) return before;
  if (before && before.etag === stored.etag) {
    renew(before, { ...stored, ...times, camera });
    return before;
  }
  // The store omits the bytes of the ETag that memory held before the read; it now holds another.
  if (!bytes) return before;
  const { lastRequestedMonoMs, watchedUntilMonoMs } = before ?? NEVER_REQUESTED;
  const requested = { lastRequestedMonoMs, watchedUntilMonoMs };
  const held = { ...stored, ...times, bytes, camera, mayBeOutdated: false, ...requested };
  keepFrame(held, { memory, clock, isPresent });
  return held;
}

/**
 * Compares by the local monotonic clock too, so that a Redis clock that was set back cannot hide
 * new frames. That clock is not enough, as a late reply makes a frame look younger than it is.
 * After a failover the store may have an older frame; memory keeps its own.
 */
function isNewer(
  before: HeldFrame,
  stored: { startedAtMs: number; capturedMonoMs: number },
): boolean {
  if (stored.startedAtMs === before.startedAtMs) return false;
  return stored.startedAtMs > before.startedAtMs || stored.capturedMonoMs > before.capturedMonoMs;
}
