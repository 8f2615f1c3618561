import type { RulesNow } from '@lastframe/shared/cameras/rules';
import type { Log } from '@lastframe/shared/process/log';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { type CameraPlaces, type CameraPlacesDeps, createCameraPlaces } from './camera-places.ts';
import { createRedisMemory, type RedisMemory } from './redis-memory.ts';

/** Which cameras the fleet has room for: places per source, and memory in Redis. */
export interface RoomForCameras
  extends Pick<RedisMemory, 'usedShare' | 'whyNewRejected' | 'whyLargerRejected'> {
  places: CameraPlaces;
  /** Checks how full Redis is, and evicts idle cameras while it is too full; every second. */
  poll(): Promise<void>;
}

export interface RoomForCamerasDeps extends Omit<CameraPlacesDeps, 'isMemoryFull'> {
  /** One to each server that keeps frames. */
  framesLinks: () => Iterable<Pick<RedisLink, 'isReady' | 'run'>>;
  /** To a separate queue Redis, which keeps jobs and back-offs of made-up cameras too. */
  queueLink: Pick<RedisLink, 'isReady' | 'run'> | undefined;
  rules: RulesNow;
  log: Log;
}

export function createRoomForCameras(deps: RoomForCamerasDeps): RoomForCameras {
  const { framesLinks, queueLink, rules, ...placesDeps } = deps;
  const memory = createRedisMemory(framesLinks, deps.log);
  const queueMemory = createRedisMemory(() => (queueLink ? [queueLink] : []), deps.log);
  const isMemoryFull = () => memory.isFull() || queueMemory.isFull();
  const places = createCameraPlaces({ ...placesDeps, isMemoryFull });
  const makeRoom = async () => {
    await Promise.all([memory.poll(), queueMemory.poll()]);
    if (isMemoryFull()) await places.evictIdle(rules().sources);
  };
  return {
    places,
    usedShare: memory.usedShare,
    whyNewRejected: () => memory.whyNewRejected() ?? queueMemory.whyNewRejected(),
    whyLargerRejected: memory.whyLargerRejected,
    poll: () => makeRoom().catch(() => {}), // Redis is unreachable: the next poll retries
  };
}
