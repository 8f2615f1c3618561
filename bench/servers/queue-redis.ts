import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';

/** In production the queue Redis must persist permits: an append-only file, synced every second. */
const ARGS = ['--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'];

export async function startQueueRedis(): Promise<RedisServer> {
  return await startRedis({ args: ARGS });
}
