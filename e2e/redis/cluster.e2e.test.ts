import { createHash } from 'node:crypto';
import { SHARDS } from '@lastframe/shared/redis/cluster/shard';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectCleanEnd } from '../../testing/checks/recovery.ts';
import { expectServed, SHORT_TIMES } from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { type RedisCluster, startRedisCluster } from '../../testing/redis/redis-cluster.ts';
import type { RedisServer } from '../../testing/redis/redis-server.ts';
import { startViewers, warmUp } from '../../testing/viewers/viewers.ts';

let cluster: RedisCluster;
let fleet: Fleet;
let cameras: string[];

beforeAll(async () => {
  cluster = await startRedisCluster();
  const FRAMES_REDIS_URL = `redis+cluster://${cluster.hosts}`;
  fleet = await startFleet({ apis: 2, workers: 2, env: { ...SHORT_TIMES, FRAMES_REDIS_URL } });
  cameras = await camerasOfEach(cluster.primaries, 4);
  await warmUp(
    fleet.apis.map(({ url }) => url),
    cameras,
  );
});

afterAll(async () => {
  await fleet?.stop();
  await cluster?.stop();
});

it('stores frames on every node, and none in the queue Redis', async () => {
  const keys = await Promise.all(
    [...cluster.primaries, fleet.redis].map(async (redis) => (await framesIn(redis)).length),
  );
  const [queue, ...nodes] = keys.reverse();
  expect(queue).toBe(0);
  expect(Math.min(...nodes)).toBeGreaterThan(0);
  expect(nodes.reduce((sum, count) => sum + count)).toBe(cameras.length);
});

it('subscribes each api process to every shard at its node, also after a disconnect', async () => {
  await expectAllListen(cluster.primaries);
  for (const node of cluster.primaries) await node.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await expectAllListen(cluster.primaries);
});

it('moves the subscriptions of each api process with a shard', async () => {
  const frameKeys = await Promise.all(cluster.primaries.map(framesIn));
  const shard = SHARDS.find((name) => !frameKeys.flat().some((key) => key.includes(`{${name}}`)));
  const before = await cluster.portOf(`{${shard}}`);
  await cluster.moveSlot(`{${shard}}`, before === cluster.primaries[0]?.port ? 1 : 0);
  expect(await cluster.portOf(`{${shard}}`)).not.toBe(before);
  await expectAllListen(cluster.primaries);
});

it('delivers announcements of every node to each api process', async () => {
  const [active, passive] = fleet.apis;
  // Only one process gets further requests; the other learns of frames by announcement.
  const waits = cameras.map(async (camera) => {
    const etag = (await passive?.image(camera))?.headers.get('etag') ?? '';
    const next = passive?.image(camera, {
      headers: { 'If-None-Match': etag, Prefer: 'wait=20' },
    });
    await active?.image(camera);
    return (await next)?.status;
  });
  expect(await Promise.all(waits)).toEqual(cameras.map(() => 200));
});

it('serves the cameras of a dead node without a replica from memory, and refreshes the others', async () => {
  const dead = cluster.primaries[1];
  if (!dead) throw new Error('the Cluster has three primaries');
  const isOnDead = await Promise.all(cameras.map(async (url) => (await portOf(url)) === dead.port));
  const others = cameras.filter((_, index) => !isOnDead[index]);
  const viewers = startViewers(() => fleet.apis.map(({ url }) => url), cameras, { viewers: 6 });
  await dead.kill();
  await expectNewFrames(others);
  await dead.start();
  await expectNewFrames(cameras);
  expectServed(await viewers.stop());
});

it('refreshes and announces all cameras after a replica takes over from a dead primary', async () => {
  const [dead] = cluster.primaries;
  const viewers = startViewers(() => fleet.apis.map(({ url }) => url), cameras, { viewers: 6 });
  const killedMs = performance.now();
  await dead?.kill();
  const isPrimary = async () => String(await cluster.replica.command('ROLE'));
  await expect.poll(isPrimary, { timeout: 60_000 }).toContain('master');
  await expectAllListen([cluster.replica, ...cluster.primaries.slice(1)]);
  await expectNewFrames(cameras);
  console.log(
    `shard failover: all frames new after ${Math.round(performance.now() - killedMs)} ms`,
  );
  expectServed(await viewers.stop());
});

it('called no camera twice in an interval, and ends all processes cleanly', async () => {
  await fleet.check();
  await expectCleanEnd(fleet);
});

/** Waits until each api process serves a newer frame of each camera. */
async function expectNewFrames(urls: readonly string[]): Promise<void> {
  const requests = fleet.apis.flatMap((api) => urls.map((camera) => ({ api, camera })));
  const etags = () =>
    Promise.all(
      requests.map(async ({ api, camera }) => (await api.image(camera)).headers.get('etag')),
    );
  const before = await etags();
  const stillOld = async () => (await etags()).filter((etag, n) => etag === before[n]).length;
  await expect.poll(stillOld, { timeout: 60_000, interval: 200 }).toBe(0);
}

/** Waits until each of the 256 channels is at one node, with every api process subscribed. */
async function expectAllListen(nodes: readonly RedisServer[]): Promise<void> {
  const subscriptions = async () => {
    const counts = new Map<string, number>();
    for (const node of nodes) {
      const channels = (await node.command('PUBSUB', 'SHARDCHANNELS')) as string[];
      const reply = (await node.command('PUBSUB', 'SHARDNUMSUB', ...channels)) as string[];
      for (const [index, channel] of channels.entries()) {
        counts.set(channel, Number(reply[2 * index + 1]));
      }
    }
    return [counts.size, Math.min(...counts.values()), Math.max(...counts.values())];
  };
  const all = [256, fleet.apis.length, fleet.apis.length];
  await expect.poll(subscriptions, { timeout: 60_000 }).toEqual(all);
}

/** Picks `count` cameras for each node: random ones could leave a node without any. */
async function camerasOfEach(nodes: readonly RedisServer[], count: number): Promise<string[]> {
  const found = new Map(nodes.map(({ port }) => [port, [] as string[]]));
  for (let n = 0; [...found.values()].some(({ length }) => length < count); n += 1) {
    const camera = fleet.slow.camera(`cam-${n}`);
    const ofNode = found.get(await portOf(camera));
    if (ofNode && ofNode.length < count) ofNode.push(camera);
  }
  return [...found.values()].flat();
}

async function framesIn(redis: RedisServer): Promise<string[]> {
  return (await redis.command('KEYS', '*:frame:*')) as string[];
}

async function portOf(cameraUrl: string): Promise<number> {
  const cameraId = createHash('sha256').update(cameraUrl).digest('hex').slice(0, 32);
  return await cluster.portOf(`{${cameraId.slice(0, 2)}}`);
}
