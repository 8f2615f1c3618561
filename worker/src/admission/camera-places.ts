import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import { idleAfterMs } from '@lastframe/shared/frames/frame-limits';
import { forgetCamera } from '@lastframe/shared/frames/frame-store';
import type { Rejection } from '@lastframe/shared/messages/announcement';
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

export type Admission =
  | { outcome: 'admitted' }
  | { outcome: 'rejected'; reason: Rejection; waitMs: number }
  /** No reply from Redis: no call. */
  | { outcome: 'unknown'; reason: string };

/**
 * The places of unnamed cameras, fleet-wide. Viewers can make up any number of URLs, so a source
 * has a limit (`maxCameras`). A camera keeps its place while it is requested. An idle one loses it,
 * with its frame, to a new camera or when Redis runs out of memory.
 */
export interface CameraPlaces {
  /** Named cameras need no place. */
  admit(camera: Camera): Promise<Admission>;
  /** Keeps the place of a camera that is next called only then, in ms. */
  keepPlace(camera: Camera, untilNextMs: number): Promise<void>;
  /** Releases the place of a camera whose frame cannot be stored. */
  releasePlace(camera: Camera): Promise<void>;
  /** Makes room in Redis: evicts a few cameras of each source, the longest idle first. */
  evictIdle(sources: readonly Source[]): Promise<void>;
}

export interface CameraPlacesDeps {
  clock: Pick<Clock, 'monoMs'>;
  redis: Pick<RedisLink, 'run'>;
  frames: Pick<FramesRedis, 'run'>;
  keys: Keys;
  /** Returns whether Redis has no memory for new cameras. */
  isMemoryFull: () => boolean;
  log: Pick<Log, 'warn'>;
}

/** The least wait of a rejected camera: when memory will be free again is unknown. */
export const NEW_CAMERA_RETRY_MS = 10_000;
const MAX_RETRY_MS = 60_000;
const DEADLINE_MS = 1000;
/** Saves a script per refresh of a camera with a steady viewer. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 50_000;
const EVICTED_AT_ONCE = 64;
const WARN_EVERY_MS = 60_000;

export function createCameraPlaces(deps: CameraPlacesDeps): CameraPlaces {
  const { clock, redis, frames, keys, isMemoryFull, log } = deps;
  /** By camera: when its place must be renewed. In order of renewal. */
  const renewAtMs = new Map<string, number>();
  const warnedAtMs = new Map<string, number>();

  const remember = (camera: Camera) => {
    const forMs = Math.min(REMEMBERED_MS, idleAfterMs(camera) / 2);
    renewAtMs.delete(camera.cameraId);
    renewAtMs.set(camera.cameraId, clock.monoMs() + forMs);
    const [oldest] = renewAtMs.keys();
    if (renewAtMs.size > MAX_REMEMBERED && oldest !== undefined) renewAtMs.delete(oldest);
  };
  const forget = async (cameraIds: readonly string[]) => {
    for (const cameraId of cameraIds) renewAtMs.delete(cameraId);
    const work = cameraIds.map((cameraId) =>
      frames.run(DEADLINE_MS, (client) => forgetCamera(client, keys, cameraId), cameraId),
    );
    // Whatever is not deleted now will expire.
    await Promise.allSettled(work);
  };
  const warnOfLimit = ({ name, maxCameras }: Source) => {
    const nowMs = clock.monoMs();
    if (nowMs - (warnedAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < WARN_EVERY_MS) return;
    warnedAtMs.set(name, nowMs);
    log.warn(
      { source: name, maxCameras },
      'new cameras rejected: the source has reached maxCameras (MAX_CAMERAS)',
    );
  };
  const runAdmit = (camera: Camera, untilNextMs = 0) => {
    const { source } = camera;
    const idleMs = idleAfterMs(camera, untilNextMs);
    return redis.run(DEADLINE_MS, (client) =>
      runScript(
        client,
        admitScript,
        [keys.places(source.name)],
        [
          camera.cameraId,
          String(Math.ceil(idleMs)),
          String(source.maxCameras),
          isMemoryFull() ? '1' : '0',
          String(Math.ceil(Math.max(source.staleForMs, idleAfterMs(camera, source.maxIntervalMs)))),
        ],
      ),
    ) as Promise<[outcome: 'admitted' | Rejection, waitMs: number, evicted: string[]]>;
  };

  return {
    admit: async (camera) => {
      if (camera.name !== undefined) return { outcome: 'admitted' };
      if (clock.monoMs() < (renewAtMs.get(camera.cameraId) ?? Number.NEGATIVE_INFINITY)) {
        return { outcome: 'admitted' };
      }
      try {
        const [outcome, waitMs, evicted] = await runAdmit(camera);
        if (evicted.length > 0) void forget(evicted);
        if (outcome === 'admitted') {
          remember(camera);
          return { outcome };
        }
        if (outcome === 'places') warnOfLimit(camera.source);
        const leastMs = Math.max(NEW_CAMERA_RETRY_MS, waitMs);
        return { outcome: 'rejected', reason: outcome, waitMs: Math.min(MAX_RETRY_MS, leastMs) };
      } catch (error) {
        return { outcome: 'unknown', reason: messageOf(error) };
      }
    },
    keepPlace: async (camera, untilNextMs) => {
      const isKeptAnyway = idleAfterMs(camera, untilNextMs) <= idleAfterMs(camera);
      if (camera.name !== undefined || isKeptAnyway) return;
      try {
        const [, , evicted] = await runAdmit(camera, untilNextMs);
        if (evicted.length > 0) void forget(evicted);
      } catch {
        // At worst it is a new camera then.
      }
    },
    releasePlace: async ({ cameraId, name, source }) => {
      if (name !== undefined) return;
      renewAtMs.delete(cameraId);
      await redis
        .run(DEADLINE_MS, (client) => client.zRem(keys.places(source.name), cameraId))
        .catch(() => {}); // it becomes idle
    },
    evictIdle: async (sources) => {
      const evicted = sources.map(({ name }) =>
        redis.run(DEADLINE_MS, (client) =>
          runScript(client, popIdleScript, [keys.places(name)], [String(EVICTED_AT_ONCE)]),
        ),
      );
      await forget((await Promise.all(evicted)).flat() as string[]);
    },
  };
}
