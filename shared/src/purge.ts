import { z } from 'zod';
import { encodeAnnouncement, parseJson } from './announcement.ts';
import type { Keys } from './keys.ts';
import type { RedisClient } from './redis-link.ts';
import { loadScript, runScript } from './redis-script.ts';

const purgeScript = loadScript(new URL('./purge-frame.lua', import.meta.url));

/** `soft`: what there is of the camera counts as stale. `hard`: it is removed. */
export type PurgeMode = 'soft' | 'hard';

/** An operator's word that frames whose calls began before are not to be taken for good. */
export interface Purge {
  cameraId: string;
  mode: PurgeMode;
  /** By the frames Redis's clock, as the times of frames are. */
  purgedAtMs: number;
}

/** What the store had of the camera. */
export interface Purged extends Purge {
  frame: boolean;
  failure: boolean;
}

/**
 * Purges a camera on the frame store and tells all api processes. Those that can't hear it now find
 * it in the list of purges, which lasts as long as a frame from before may be in anybody's memory.
 */
export async function purgeCamera(
  client: RedisClient,
  keys: Keys,
  { cameraId, mode, staleForMs }: { cameraId: string; mode: PurgeMode; staleForMs: number },
): Promise<Purged> {
  const [purgedAtMs, frame, failure] = (await runScript(
    client,
    purgeScript,
    [keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId), keys.purged(cameraId)],
    [mode, String(Math.ceil(staleForMs))],
  )) as [number, 0 | 1, 0 | 1];
  const purge = { cameraId, mode, purgedAtMs };
  const untilMs = purgedAtMs + Math.ceil(staleForMs);
  // Listed before it is announced: who subscribes in between reads the list after that.
  await client
    .multi()
    .zRemRangeByScore(keys.purges, '-inf', purgedAtMs)
    .zAdd(keys.purges, { score: untilMs, value: JSON.stringify(purge) })
    .publish(keys.announcements, encodeAnnouncement({ kind: 'purge', ...purge }))
    .exec();
  return { ...purge, frame: frame === 1, failure: failure === 1 };
}

const listedPurge = z.object({
  cameraId: z.string(),
  mode: z.enum(['soft', 'hard']),
  purgedAtMs: z.number(),
});

/** The purges that may matter to who could not hear them; entries that can't be read are left out. */
export async function readPurges(client: RedisClient, keys: Keys): Promise<Purge[]> {
  const entries = await client.zRange(keys.purges, 0, -1);
  return entries.flatMap((text) => listedPurge.safeParse(parseJson(text)).data ?? []);
}
