import { lateAfterMs } from '@lastframe/shared/cameras/camera-health';
import type { RulesNow } from '@lastframe/shared/cameras/rules';
import { recordUnmetDemand } from '@lastframe/shared/frames/frame-store';
import type { Clock } from '@lastframe/shared/process/clock';
import type { FramesRedis } from '@lastframe/shared/redis/cluster/redis-shards';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { Presence } from '../demand/presence.ts';

export interface UnmetDemandDeps {
  clock: Pick<Clock, 'monoMs'>;
  memory: MemoryCache;
  presence: Presence;
  rules: RulesNow;
  frames: Pick<FramesRedis, 'run'>;
  keys: Keys;
}

const DEADLINE_MS = 1000;
const NOTE_EVERY_MS = 4000;
/** Longer than the time between two notes, even in a slow process. */
const NOTE_HOLDS_MS = 10_000;

/**
 * Returns a function to call every second. It notes in the frame store which named cameras are
 * requested here without getting frames; this distinguishes a late camera from an idle one. Frames
 * and failures imply demand, so nothing is written while they arrive. Workers cannot note it,
 * because all of them may be down.
 */
export function createUnmetDemand(deps: UnmetDemandDeps): () => Promise<void> {
  const { clock, memory, presence, rules, frames, keys } = deps;
  const requests = new Map<string, { sinceMonoMs: number; notedMonoMs: number }>();

  const note = async (cameraId: string, askedForMs: number) => {
    const what = { cameraId, askedForMs, holdsMs: NOTE_HOLDS_MS };
    await frames
      .run(DEADLINE_MS, (client) => recordUnmetDemand(client, keys, what), cameraId)
      .catch(() => {});
  };
  const checkCamera = (cameraId: string, nowMonoMs: number): Promise<void> | undefined => {
    const camera = presence.watchedCamera(cameraId);
    if (!camera) {
      requests.delete(cameraId);
      return undefined;
    }
    const never = Number.NEGATIVE_INFINITY;
    const request = requests.get(cameraId) ?? { sinceMonoMs: nowMonoMs, notedMonoMs: never };
    requests.set(cameraId, request);
    const held = memory.peek(cameraId);
    const callMs = held && held.capturedMonoMs - held.startedMonoMs;
    const lateMs = lateAfterMs(callMs, camera.source, held?.freshForMs);
    const isLate = !held || nowMonoMs - held.capturedMonoMs >= lateMs;
    if (!isLate) return undefined;
    if (nowMonoMs - request.notedMonoMs < NOTE_EVERY_MS) return undefined;
    request.notedMonoMs = nowMonoMs;
    return note(cameraId, nowMonoMs - request.sinceMonoMs);
  };
  return async () => {
    const nowMonoMs = clock.monoMs();
    const { namedById } = rules();
    for (const cameraId of requests.keys()) if (!namedById.has(cameraId)) requests.delete(cameraId);
    await Promise.all([...namedById.keys()].map((cameraId) => checkCamera(cameraId, nowMonoMs)));
  };
}
