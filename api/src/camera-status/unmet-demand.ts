import { lateAfterMs } from '@lastframe/shared/cameras/camera-health';
import type { RulesNow } from '@lastframe/shared/cameras/rules';
import { noteAsked } from '@lastframe/shared/frames/frame-store';
import type { Clock } from '@lastframe/shared/process/clock';
import type { FramesRedis } from '@lastframe/shared/redis/cluster/redis-shards';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { HeldFrame } from '../cache/held-frame.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { Presence } from '../demand/presence.ts';

export interface AskedNotesDeps {
  clock: Pick<Clock, 'monoMs'>;
  memory: MemoryCache;
  viewers: Presence;
  rules: RulesNow;
  frames: Pick<FramesRedis, 'run'>;
  keys: Keys;
}

const DEADLINE_MS = 1000;
const NOTE_EVERY_MS = 4000;
/** Longer than a note takes to come again, though a process may be slow. */
const NOTE_HOLDS_MS = 10_000;

/**
 * Notes in the frame store which named cameras somebody asks for in vain here: that is what tells a
 * late camera from an idle one. Frames and failures say by themselves that somebody has asked, so
 * nothing is written as long as they come; without them nobody else can know, since no worker may be
 * alive. Gives what to call every second.
 */
export function createUnmetDemand(deps: AskedNotesDeps): () => Promise<void> {
  const { clock, memory, viewers, rules, frames, keys } = deps;
  const asked = new Map<string, { sinceMonoMs: number; notedMonoMs: number }>();

  const note = async (cameraId: string, askedForMs: number) => {
    const what = { cameraId, askedForMs, holdsMs: NOTE_HOLDS_MS };
    await frames
      .run(DEADLINE_MS, (client) => noteAsked(client, keys, what), cameraId)
      .catch(() => {});
  };
  const look = (cameraId: string, nowMonoMs: number): Promise<void> | undefined => {
    const camera = viewers.watchedCamera(cameraId);
    if (!camera) {
      asked.delete(cameraId);
      return undefined;
    }
    const never = Number.NEGATIVE_INFINITY;
    const since = asked.get(cameraId) ?? { sinceMonoMs: nowMonoMs, notedMonoMs: never };
    asked.set(cameraId, since);
    const held = memory.peek(cameraId);
    if (held && nowMonoMs - held.capturedMonoMs < lateAfterMs(timesOf(held), camera.source)) {
      return undefined;
    }
    if (nowMonoMs - since.notedMonoMs < NOTE_EVERY_MS) return undefined;
    since.notedMonoMs = nowMonoMs;
    return note(cameraId, nowMonoMs - since.sinceMonoMs);
  };
  return async () => {
    const nowMonoMs = clock.monoMs();
    const { namedById } = rules();
    for (const cameraId of asked.keys()) if (!namedById.has(cameraId)) asked.delete(cameraId);
    await Promise.all([...namedById.keys()].map((cameraId) => look(cameraId, nowMonoMs)));
  };
}

function timesOf({ startedMonoMs, capturedMonoMs }: HeldFrame) {
  return { startedAtMs: startedMonoMs, capturedAtMs: capturedMonoMs };
}
