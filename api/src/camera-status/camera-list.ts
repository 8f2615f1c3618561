import { countByHealth, type Health, lateAfterMs } from '@lastframe/shared/cameras/camera-health';
import type { NamedCamera, RulesNow } from '@lastframe/shared/cameras/rules';
import { NO_BYTES, readCamera } from '@lastframe/shared/frames/frame-store';
import type { StoredCamera } from '@lastframe/shared/frames/stored-camera';
import type { FramesRedis } from '@lastframe/shared/redis/cluster/redis-shards';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { FramesClock } from '@lastframe/shared/redis/redis-clock';
import type { MemoryCache } from '../cache/memory-cache.ts';
import { type CameraState, factsOfHeld, stateOf } from './camera-status.ts';

/** A named camera and its current state. */
export interface ListedCamera {
  named: NamedCamera;
  state: CameraState;
  /** When the state was read, by the frames Redis's clock. */
  nowMs: number;
  /** Age of its frame from which a requested camera is late. */
  lateAfterMs: number;
}

/** The named cameras and their states, for the whole fleet. */
export interface CameraList {
  /** Reads all named cameras; uses memory for those that the store cannot return. */
  read(): Promise<ListedCamera[]>;
  /** Counts the cameras by health, for the metrics. */
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
/** Each process reads the list no more often than this. */
const CACHED_MS = 500;

export function createCameraList(deps: CameraListDeps): CameraList {
  let cachedList: Promise<ListedCamera[]> | undefined;
  const read = () => {
    if (cachedList) return cachedList;
    const list = Promise.all(
      [...deps.rules().cameras.values()].map((named) => readOne(named, deps)),
    );
    cachedList = list;
    setTimeout(() => {
      cachedList = undefined;
    }, CACHED_MS).unref();
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
  const { frame, facts, nowMs } = await readState(cameraId, deps);
  const state = stateOf({ frame, facts }, source, nowMs);
  const callMs = frame && frame.capturedAtMs - frame.startedAtMs;
  return { named, state, nowMs, lateAfterMs: lateAfterMs(callMs, source, frame?.freshForMs) };
}

async function readState(
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
