import { z } from 'zod';
import { encodeAnnouncement, parseJson } from '../messages/announcement.ts';
import type { FramesRedis } from '../redis/cluster/redis-shards.ts';
import { SHARDS } from '../redis/cluster/shard.ts';
import type { Keys } from '../redis/keys.ts';
import { loadScript, runScript } from '../redis/redis-script.ts';
import { cameraIdText, timeMs } from '../redis/redis-values.ts';

const DEADLINE_MS = 1000;
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
 * @throws RedisUnavailableError when it is not sure that all were told: to be done again
 */
export async function purgeCamera(
  frames: Pick<FramesRedis, 'run'>,
  keys: Keys,
  { cameraId, mode, staleForMs }: { cameraId: string; mode: PurgeMode; staleForMs: number },
): Promise<Purged> {
  const run = <T>(command: Parameters<typeof frames.run<T>>[1]) =>
    frames.run(DEADLINE_MS, command, cameraId);
  const [purgedAtMs, frame, failure] = (await run((client) =>
    runScript(
      client,
      purgeScript,
      [keys.frame(cameraId), keys.failure(cameraId), keys.health(cameraId), keys.purged(cameraId)],
      [mode, String(Math.ceil(staleForMs))],
    ),
  )) as [number, 0 | 1, 0 | 1];
  const purge = { cameraId, mode, purgedAtMs };
  const untilMs = purgedAtMs + Math.ceil(staleForMs);
  const list = keys.purges(cameraId);
  const message = encodeAnnouncement({ kind: 'purge', ...purge });
  // Listed before it is announced: who subscribes in between reads the list after that.
  await run((client) =>
    client
      .multi()
      .zRemRangeByScore(list, '-inf', purgedAtMs)
      .zAdd(list, { score: untilMs, value: JSON.stringify(purge) })
      .addCommand([keys.publish, keys.channel(cameraId), message])
      .exec(),
  );
  return { ...purge, frame: frame === 1, failure: failure === 1 };
}

const listedPurge = z.object({
  cameraId: cameraIdText,
  mode: z.enum(['soft', 'hard']),
  purgedAtMs: timeMs,
});

/**
 * The purges that may matter to who could not hear them; entries that can't be read are left out.
 * @throws RedisUnavailableError
 */
export async function readPurges(frames: Pick<FramesRedis, 'run'>, keys: Keys): Promise<Purge[]> {
  // One list, or on a Cluster one in each shard.
  const lists = new Map(SHARDS.map((shard) => [keys.purges(shard), shard]));
  const entries = await Promise.all(
    [...lists].map(([list, shard]) =>
      frames.run(DEADLINE_MS, (client) => client.zRange(list, 0, -1), shard),
    ),
  );
  return entries.flat().flatMap((text) => listedPurge.safeParse(parseJson(text)).data ?? []);
}
