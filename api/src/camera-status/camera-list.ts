import { countByHealth, type Health, lateAfterMs } from '@lastframe/shared/cameras/camera-health';
import type { NamedCamera, RulesNow } from '@lastframe/shared/cameras/rules';
import { NO_BYTES, readCamera } from '@lastframe/shared/frames/frame-store';
import type { StoredCamera } from '@lastframe/shared/frames/stored-camera';
import type { FramesRedis } from '@lastframe/shared/redis/cluster/redis-shards';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { FramesClock } from '@lastframe/shared/redis/redis-clock';
import type { MemoryCache } from '../cache/memory-cache.ts';
import { type CameraState, factsOfHeld, stateOf } from './camera-status.ts';

/** A named camera as it is now. */
export interface ListedCamera {
  named: NamedCamera;
  state: CameraState;
  /** When the state was so, by the frames Redis's clock. */
  nowMs: number;
  /** As old a frame makes the camera late, while somebody asks. */
  lateAfterMs: number;
}

/** The named cameras and how they are, for the whole fleet. */
export interface CameraList {
  /** What memory knows of those that the store can't be asked about now. */
  read(): Promise<ListedCamera[]>;
  /** How many there are of each health, for the metrics. */
  countByHealth(): Promise<Record<Health, number>>;
}

export interface CameraListDeps {
  frames: Pick<FramesRedis, 'run'>;
  keys: Keys;
  rules: RulesNow;
  memory: MemoryCache;
  framesClock: Pick<FramesClock, 'nowMs'>;
}

const DEADLINE_MS = 1000;
/** However many ask, each process reads no more often. */
const KEPT_MS = 500;

export function createCameraList(deps: CameraListDeps): CameraList {
  let kept: Promise<ListedCamera[]> | undefined;
  const read = () => {
    if (kept) return kept;
    const list = Promise.all(
      [...deps.rules().cameras.values()].map((named) => readOne(named, deps)),
    );
    kept = list;
    setTimeout(() => {
      kept = undefined;
    }, KEPT_MS).unref();
    return list;
  };
  return {
    read,
    countByHealth: async () =>
      countByHealth((await read()).map(({ state }) => state.health.health)),
  };
}

async function readOne(named: NamedCamera, deps: CameraListDeps): Promise<ListedCamera> {
  const { cameraId, source } = named.camera;
  const { frame, facts, nowMs } = await ask(cameraId, deps);
  const state = stateOf({ frame, facts }, source, nowMs);
  return { named, state, nowMs, lateAfterMs: lateAfterMs(frame, source) };
}

async function ask(
  cameraId: string,
  { frames, keys, memory, framesClock }: CameraListDeps,
): Promise<Pick<StoredCamera, 'facts' | 'nowMs'> & Pick<CameraState, 'frame'>> {
  try {
    return await frames.run(
      DEADLINE_MS,
      (client) => readCamera(client, keys, cameraId, NO_BYTES),
      cameraId,
    );
  } catch {
    const held = memory.peek(cameraId);
    return { facts: {}, frame: held && factsOfHeld(held), nowMs: framesClock.nowMs() };
  }
}
