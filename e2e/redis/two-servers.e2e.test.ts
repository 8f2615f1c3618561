import { afterEach, expect, it, onTestFinished } from 'vitest';
import { expectCleanEnd } from '../../testing/checks/recovery.ts';
import { startAudience } from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';

let fleet: Fleet;

afterEach(async () => {
  await fleet?.checkAndStop();
});

it('lets a separate frames Redis evict and lose frames, and stores none in the queue Redis', async () => {
  const frames = await ownRedis('--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru');
  fleet = await startFleet({ apis: 2, env: { FRAMES_REDIS_URL: frames.url } });
  const audience = await startAudience(fleet);
  await expectFrames(frames, audience.cameras.length);
  expect(await keysOf(fleet.redis, '*:frame:*')).toEqual([]);
  await frames.command('FLUSHALL');
  await expectFrames(frames, audience.cameras.length);
  expect((await audience.stop()).failures).toEqual([]);
  await expectCleanEnd(fleet);
});

async function expectFrames(redis: RedisServer, count: number): Promise<void> {
  const stored = async () => (await keysOf(redis, '*:frame:*')).length;
  await expect.poll(stored, { timeout: 60_000 }).toBe(count);
}

async function keysOf(redis: RedisServer, pattern: string): Promise<string[]> {
  return (await redis.command('KEYS', pattern)) as string[];
}

async function ownRedis(...args: string[]): Promise<RedisServer> {
  const redis = await startRedis({ args });
  onTestFinished(() => redis.stop());
  return redis;
}
