import { z } from 'zod';
import { encodeAnnouncement, parseJson } from '../messages/announcement.ts';
import type { FramesRedis } from '../redis/cluster/redis-shards.ts';
import { SHARDS } from '../redis/cluster/shard.ts';
import type { Keys } from '../redis/keys.ts';
import { loadScript, runScript } from '../redis/redis-script.ts';
import { cameraIdText, timeMs } from '../redis/redis-values.ts';

const DEADLINE_MS = 1000;
const purgeScript = loadScript(new URL('./purge-frame.lua', import.meta.url));

const purgeFormat = z.object({
  cameraId: cameraIdText,
  /** `soft`: the camera's frame counts as stale. `hard`: it is deleted. */
  mode: z.enum(['soft', 'hard']),
  /** By the clock of the frames Redis, like the times of frames. */
  purgedAtMs: timeMs,
});

/** Invalidates frames whose calls began before it. */
export type Purge = z.infer<typeof purgeFormat>;
export type PurgeMode = Purge['mode'];

/** Which records of the camera the store had. */
export interface PurgeResult extends Purge {
  frame: boolean;
  failure: boolean;
}

/**
 * Purges a camera in the frame store and notifies all api processes. Those that miss the message
 * find it in the list of purges, which lasts as long as an earlier frame may be in memory.
 * @throws RedisUnavailableError if some may not have been notified; the caller should retry
 */
export async function purgeCamera(
  frames: Pick<FramesRedis, 'run'>,
  keys: Keys,
  { cameraId, mode, staleForMs }: { cameraId: string; mode: PurgeMode; staleForMs: number },
): Promise<PurgeResult> {
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
  // Listed before it is announced: a process that subscribes in between then reads the list.
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

/**
 * Returns the purges that a process may have missed; skips malformed entries.
 * @throws RedisUnavailableError
 */
export async function readPurges(frames: Pick<FramesRedis, 'run'>, keys: Keys): Promise<Purge[]> {
  // One list, or one per shard on a Cluster.
  const lists = new Map(SHARDS.map((shard) => [keys.purges(shard), shard]));
  const entries = await Promise.all(
    [...lists].map(([list, shard]) =>
      frames.run(DEADLINE_MS, (client) => client.zRange(list, 0, -1), shard),
    ),
  );
  return entries.flat().flatMap((text) => purgeFormat.safeParse(parseJson(text)).data ?? []);
}
