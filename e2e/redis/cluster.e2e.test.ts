import { createHash } from 'node:crypto';
import { SHARDS } from '@lastframe/shared/redis/cluster/shard';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet.ts';
import { expectCleanEnd } from '../../testing/recovery.ts';
import { type RedisCluster, startRedisCluster } from '../../testing/redis-cluster.ts';
import type { RedisServer } from '../../testing/redis-server.ts';
import { expectServed, SHORT_TIMES } from '../../testing/short-faults.ts';
import { startViewers, warmUp } from '../../testing/viewers.ts';

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

it('frames are kept by every node, and none by the queue Redis', async () => {
  const keys = await Promise.all(
    [...cluster.primaries, fleet.redis].map(async (redis) => (await framesIn(redis)).length),
  );
  const [queue, ...nodes] = keys.reverse();
  expect(queue).toBe(0);
  expect(Math.min(...nodes)).toBeGreaterThan(0);
  expect(nodes.reduce((sum, count) => sum + count)).toBe(cameras.length);
});

it('every api process listens to every shard at the node that keeps it, also when it was cut off', async () => {
  await expectAllListen(cluster.primaries);
  for (const node of cluster.primaries) await node.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await expectAllListen(cluster.primaries);
});

it('every api process follows a shard to another node', async () => {
  const used = await Promise.all(cluster.primaries.map(framesIn));
  const shard = SHARDS.find((name) => !used.flat().some((key) => key.includes(`{${name}}`)));
  const before = await cluster.portOf(`{${shard}}`);
  await cluster.moveSlot(`{${shard}}`, before === cluster.primaries[0]?.port ? 1 : 0);
  expect(await cluster.portOf(`{${shard}}`)).not.toBe(before);
  await expectAllListen(cluster.primaries);
});

it('every api process hears each announcement, whichever node it is made at', async () => {
  const [asked, other] = fleet.apis;
  // Only one process is asked for more; what the other one gets to know comes by announcement.
  const waits = cameras.map(async (camera) => {
    const etag = (await other?.image(camera))?.headers.get('etag') ?? '';
    const news = other?.image(camera, {
      headers: { 'If-None-Match': etag, Prefer: 'wait=20' },
    });
    await asked?.image(camera);
    return (await news)?.status;
  });
  expect(await Promise.all(waits)).toEqual(cameras.map(() => 200));
});

it('a node without a replica dies: cameras of the others go on, its own are served from memory', async () => {
  const dead = cluster.primaries[1];
  if (!dead) throw new Error('the Cluster has three primaries');
  const mine = await Promise.all(cameras.map(async (url) => (await portOf(url)) === dead.port));
  const others = cameras.filter((_, index) => !mine[index]);
  const viewers = startViewers(() => fleet.apis.map(({ url }) => url), cameras, { viewers: 6 });
  await dead.kill();
  await expectNewFrames(others);
  await dead.start();
  await expectNewFrames(cameras);
  expectServed(await viewers.stop());
});

it('a primary dies and its replica takes over: all cameras go on, and news are heard', async () => {
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

it('no camera was called twice in an interval, and all processes end in order', async () => {
  await fleet.check();
  await expectCleanEnd(fleet);
});

/** Each api process shows another frame of each of the cameras than it does now. */
async function expectNewFrames(of: readonly string[]): Promise<void> {
  const looks = fleet.apis.flatMap((api) => of.map((camera) => ({ api, camera })));
  const etags = () =>
    Promise.all(
      looks.map(async ({ api, camera }) => (await api.image(camera)).headers.get('etag')),
    );
  const before = await etags();
  const stillOld = async () => (await etags()).filter((etag, n) => etag === before[n]).length;
  await expect.poll(stillOld, { timeout: 60_000, interval: 200 }).toBe(0);
}

/** Each of the 256 channels is at one of the nodes, with a subscription of every api process. */
async function expectAllListen(nodes: readonly RedisServer[]): Promise<void> {
  const subscriptions = async () => {
    const counts = new Map<string, number>();
    for (const node of nodes) {
      const channels = (await node.command('PUBSUB', 'SHARDCHANNELS')) as string[];
      const told = (await node.command('PUBSUB', 'SHARDNUMSUB', ...channels)) as string[];
      for (const [index, channel] of channels.entries()) {
        counts.set(channel, Number(told[2 * index + 1]));
      }
    }
    return [counts.size, Math.min(...counts.values()), Math.max(...counts.values())];
  };
  const all = [256, fleet.apis.length, fleet.apis.length];
  await expect.poll(subscriptions, { timeout: 60_000 }).toEqual(all);
}

/** So many for each node: chance, by which the cameras are shared among them, may forget one. */
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
