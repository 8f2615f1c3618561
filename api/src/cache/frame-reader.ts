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
   * Brings memory up to the frame store. However many ask at once, Redis is read once.
   * @throws RedisUnavailableError
   */
  read(camera: Camera): Promise<ReadCamera>;
  /** The same, but not satisfied with a read that began before now: for news that just came. */
  readAnew(camera: Camera): Promise<ReadCamera>;
  /** Calls the listener after every read, whoever asked for it. */
  onRead(listener: ReadListener): void;
}

export interface FrameReaderDeps {
  clock: Clock;
  memory: MemoryCache;
  /** A stream shows the camera, or a request waits for it. */
  isPresent: (cameraId: string) => boolean;
  purges: Pick<PurgeHistory, 'verdictFor'>;
  frames: Pick<FramesRedis, 'run'>;
  keys: Keys;
  framesClock?: Pick<FramesClock, 'observe'>;
}

const DEADLINE_MS = 1000;

export function createFrameReader(deps: FrameReaderDeps): FrameReader {
  const listeners: ReadListener[] = [];
  const reading = new Map<string, Promise<ReadCamera>>();
  /** By the read that has to end first: what begins after it is anew for all who came before. */
  const following = new WeakMap<Promise<ReadCamera>, Promise<ReadCamera>>();
  const readAndNotify = async (camera: Camera) => {
    const { read, stored } = await readOnce(camera, deps);
    for (const listener of listeners) listener(camera, read, stored);
    return read;
  };
  const read = (camera: Camera) => shared(reading, camera.cameraId, () => readAndNotify(camera));
  const readAnew = (camera: Camera) => {
    const running = reading.get(camera.cameraId);
    if (!running) return read(camera);
    const readNext = () => read(camera);
    const next = following.get(running) ?? running.then(readNext, readNext);
    following.set(running, next);
    return next;
  };
  return { read, readAnew, onRead: (listener) => void listeners.push(listener) };
}

/** However many ask for the same thing at once, it is done once. */
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
  deps.framesClock?.observe({ redisMs: stored.nowMs, sentMonoMs, receivedMonoMs });
  // It left memory meanwhile, so the bytes are wanted after all.
  const isMissed = stored.frame && !stored.frame.bytes && !memory.peek(cameraId);
  if (isMissed && knownEtag !== undefined) return await readOnce(camera, deps);
  const held = swapIn(camera, stored, deps);
  const read = { ...(held && { held }), ...(stored.failure && { failure: stored.failure }) };
  return { read, stored };
}

/**
 * The store's frame replaces the one in memory, unless that is the younger one. The store keeps a
 * frame a little longer than it is good, or much longer where `STALE_FOR` was another: that is none.
 */
function swapIn(
  camera: Camera,
  { frame, nowMs }: StoredCamera,
  { memory, clock, purges, isPresent }: FrameReaderDeps,
): HeldFrame | undefined {
  const before = memory.peek(camera.cameraId);
  if (before) markCurrent(before);
  if (!frame || freshnessOf(frame.startedAgoMs, camera.source) === 'expired') return before;
  const verdict = purges.verdictFor(frame, nowMs);
  if (verdict === 'gone') return before;
  const { startedAgoMs, capturedAgoMs, bytes, sizeBytes: _, ...stored } = frame;
  const monoMs = clock.monoMs();
  const { intervalMs } = camera.source;
  const dueAgoMs = verdict === 'stale' ? Math.max(startedAgoMs, intervalMs) : startedAgoMs;
  const times = { startedMonoMs: monoMs - dueAgoMs, capturedMonoMs: monoMs - capturedAgoMs };
  if (before && !isNewer(before, { ...stored, ...times })) return before;
  if (before && before.etag === stored.etag) {
    renew(before, { ...stored, ...times, camera });
    return before;
  }
  // Bytes are spared only for the ETag that memory held when it asked; by now it holds another.
  if (!bytes) return before;
  const lastAskedMonoMs = before?.lastAskedMonoMs ?? Number.NEGATIVE_INFINITY;
  const held = { ...stored, ...times, bytes, camera, mayBeOutdated: false, lastAskedMonoMs };
  keepFrame(held, { memory, clock, isPresent });
  return held;
}

/**
 * By the local monotonic clock too, so that a Redis clock set back can't hide new frames; but not by
 * it alone, for a late reply makes a frame look younger than it is. A store that lost its last
 * writes (a failover) has an older frame, and memory keeps its own.
 */
function isNewer(
  before: HeldFrame,
  stored: { startedAtMs: number; capturedMonoMs: number },
): boolean {
  if (stored.startedAtMs === before.startedAtMs) return false;
  return stored.startedAtMs > before.startedAtMs || stored.capturedMonoMs > before.capturedMonoMs;
}
