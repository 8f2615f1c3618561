import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import { idleAfterMs } from '@lastframe/shared/frames/frame-limits';
import { forgetCamera } from '@lastframe/shared/frames/frame-store';
import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { FramesRedis } from '@lastframe/shared/redis/cluster/redis-shards';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { loadScript, runScript } from '@lastframe/shared/redis/redis-script';

const placesHead = new URL('./places.lua', import.meta.url);
const admitScript = loadScript(placesHead, new URL('./admit.lua', import.meta.url));
const popIdleScript = loadScript(placesHead, new URL('./pop-idle.lua', import.meta.url));

/** Why a new camera is not taken: its source has as many as it may, or Redis has no memory left. */
export type Refusal = 'places' | 'memory';

export type Admission =
  | { outcome: 'admitted' }
  | { outcome: 'refused'; reason: Refusal; waitMs: number }
  /** Redis didn't say: nobody calls. */
  | { outcome: 'unknown'; reason: string };

/**
 * The places of unnamed cameras, for the whole fleet. Viewers can make up URLs at will, so a source
 * has only so many places (`maxCameras`). A camera keeps its place while somebody asks for it; an
 * idle one gives it up, with its frame, to a new camera or when Redis runs out of memory.
 */
export interface CameraPlaces {
  /** Named cameras need no place. */
  admit(camera: Camera): Promise<Admission>;
  /** The camera has no frame, and no call for one is worth while. */
  leave(camera: Camera): Promise<void>;
  /** Makes room in Redis: forgets those that have been idle for the longest time, a few of each source. */
  evictIdle(sources: readonly Source[]): Promise<void>;
}

export interface CameraPlacesDeps {
  clock: Pick<Clock, 'monoMs'>;
  redis: Pick<RedisLink, 'run'>;
  frames: Pick<FramesRedis, 'run'>;
  keys: Keys;
  /** Redis has no memory for new cameras. */
  isMemoryFull: () => boolean;
  log: Pick<Log, 'warn'>;
}

/** While there is no memory nobody can say when there will be. */
export const NEW_CAMERA_RETRY_MS = 10_000;
const MAX_RETRY_MS = 60_000;
const DEADLINE_MS = 1000;
/** So that a camera with a steady viewer costs no script at each refresh. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 50_000;
const EVICTED_AT_ONCE = 64;
const WARN_EVERY_MS = 60_000;

export function createCameraPlaces({
  clock,
  redis,
  frames,
  keys,
  isMemoryFull,
  log,
}: CameraPlacesDeps): CameraPlaces {
  /** By camera: until when its place need not be renewed. In the order of their renewal. */
  const remembered = new Map<string, number>();
  const warned = new Map<string, number>();

  const remember = (camera: Camera) => {
    const forMs = Math.min(REMEMBERED_MS, idleAfterMs(camera) / 2);
    remembered.delete(camera.cameraId);
    remembered.set(camera.cameraId, clock.monoMs() + forMs);
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  };
  const forget = async (cameraIds: readonly string[]) => {
    for (const cameraId of cameraIds) remembered.delete(cameraId);
    const work = cameraIds.map((cameraId) =>
      frames.run(DEADLINE_MS, (client) => forgetCamera(client, keys, cameraId), cameraId),
    );
    // What is not deleted now ends by itself.
    await Promise.allSettled(work);
  };
  const warnOf = ({ name, maxCameras }: Source) => {
    const nowMs = clock.monoMs();
    if (nowMs - (warned.get(name) ?? Number.NEGATIVE_INFINITY) < WARN_EVERY_MS) return;
    warned.set(name, nowMs);
    log.warn(
      { source: name, maxCameras },
      'new cameras refused: the source has as many as maxCameras (MAX_CAMERAS) allows',
    );
  };
  const ask = (camera: Camera) => {
    const { source } = camera;
    return redis.run(DEADLINE_MS, (client) =>
      runScript(
        client,
        admitScript,
        [keys.places(source.name)],
        [
          camera.cameraId,
          String(Math.ceil(idleAfterMs(camera))),
          String(source.maxCameras),
          isMemoryFull() ? '1' : '0',
          String(Math.ceil(Math.max(source.staleForMs, idleAfterMs(camera)))),
        ],
      ),
    ) as Promise<[outcome: 'admitted' | Refusal, waitMs: number, taken: string[]]>;
  };

  return {
    admit: async (camera) => {
      if (camera.name !== undefined) return { outcome: 'admitted' };
      if (clock.monoMs() < (remembered.get(camera.cameraId) ?? Number.NEGATIVE_INFINITY)) {
        return { outcome: 'admitted' };
      }
      try {
        const [outcome, waitMs, taken] = await ask(camera);
        if (taken.length > 0) void forget(taken);
        if (outcome === 'admitted') {
          remember(camera);
          return { outcome };
        }
        if (outcome === 'places') warnOf(camera.source);
        const leastMs = Math.max(NEW_CAMERA_RETRY_MS, waitMs);
        return { outcome: 'refused', reason: outcome, waitMs: Math.min(MAX_RETRY_MS, leastMs) };
      } catch (error) {
        return { outcome: 'unknown', reason: messageOf(error) };
      }
    },
    leave: async ({ cameraId, name, source }) => {
      if (name !== undefined) return;
      remembered.delete(cameraId);
      await redis
        .run(DEADLINE_MS, (client) => client.zRem(keys.places(source.name), cameraId))
        .catch(() => {}); // it becomes idle
    },
    evictIdle: async (sources) => {
      const taken = sources.map(({ name }) =>
        redis.run(DEADLINE_MS, (client) =>
          runScript(client, popIdleScript, [keys.places(name)], [String(EVICTED_AT_ONCE)]),
        ),
      );
      await forget((await Promise.all(taken)).flat() as string[]);
    },
  };
}
