import { keysFor } from '@lastframe/shared/redis/keys';
import { expect, it, vi } from 'vitest';
import { ownRedis, sharedRedis, testLink } from '../../../testing/redis/test-redis.ts';
import { testClock } from '../test-support/parts.ts';
import { createFleetStatus } from './fleet-status.ts';

async function fleetParts() {
  const { link, keys } = await sharedRedis();
  const fleet = createFleetStatus({ clock: testClock, queue: link, keys });
  return { client: link.client, keys, fleet };
}

it('knows nothing before its first poll', async () => {
  const { fleet } = await fleetParts();
  expect(fleet.whyCannotCall()).toBe('Redis has not responded yet');
  expect(fleet.redisNowMs()).toBeUndefined();
});

it('is closed while no worker is alive, and open when one is', async () => {
  const { client, keys, fleet } = await fleetParts();
  await fleet.poll();
  expect(fleet.whyCannotCall()).toBe('no worker is alive');
  await client.set(keys.workerAlive, '1');
  await fleet.poll();
  expect(fleet.whyCannotCall()).toBeUndefined();
  await client.del(keys.workerAlive);
  await fleet.poll();
  expect(fleet.whyCannotCall()).toBe('no worker is alive');
});

it('has a snapshot of workers and jobs while Redis responds', async () => {
  const server = await ownRedis();
  const link = testLink(server.url);
  await link.ready(10_000);
  const keys = keysFor('test');
  const fleet = createFleetStatus({ clock: testClock, queue: link, keys });
  expect(fleet.snapshot()).toBeUndefined();
  await link.client.lPush(keys.queueWaiting, ['a', 'b', 'c']);
  await link.client.lPush(keys.queueActive, 'd');
  await fleet.poll();
  expect(fleet.snapshot()).toEqual({ workerAlive: false, waitingJobs: 3, activeJobs: 1 });
  await server.kill();
  await fleet.poll();
  expect(fleet.snapshot()).toBeUndefined();
});

it('is closed while the queue is full', async () => {
  const { client, keys, fleet } = await fleetParts();
  await client.set(keys.workerAlive, '1');
  const jobs = Array.from({ length: 20_000 }, (_, index) => String(index));
  await client.lPush(keys.queueWaiting, jobs);
  await fleet.poll();
  expect(fleet.whyCannotCall()).toBe('the queue is full');
  await client.lPop(keys.queueWaiting);
  await fleet.poll();
  expect(fleet.whyCannotCall()).toBeUndefined();
});

it('reports since when the workers trust the time of Redis', async () => {
  const { client, keys, fleet } = await fleetParts();
  expect(fleet.holdOffBeganMs()).toBe(0);
  await client.set(keys.epoch, 'run-line 1790000000123 replicated');
  await fleet.poll();
  expect(fleet.holdOffBeganMs()).toBe(1_790_000_000_123);
  await client.del(keys.epoch);
  await fleet.poll();
  expect(fleet.holdOffBeganMs()).toBe(0);
});

it('reports the time of Redis, also between polls', async () => {
  const { client, fleet } = await fleetParts();
  const sinceMs = performance.now();
  await fleet.poll();
  // Redis may have responded at any time in between.
  const offMs = performance.now() - sinceMs + 100;
  const redisMs = async () => {
    const [seconds, micros] = (await client.sendCommand(['TIME'])) as [string, string];
    return Number(seconds) * 1000 + Number(micros) / 1000;
  };
  const before = await redisMs();
  const reportedMs = fleet.redisNowMs() ?? 0;
  const after = await redisMs();
  expect(reportedMs).toBeGreaterThan(before - offMs);
  expect(reportedMs).toBeLessThan(after + offMs);
});

it('follows the clock of Redis when it steps', async () => {
  const { fleet, keys } = await fleetParts();
  let redisMs = 1_000_000;
  const queue = {
    run: async () => [redisMs, 1, 0] as never,
  };
  const steppedFleet = createFleetStatus({ clock: testClock, queue, keys });
  await steppedFleet.poll();
  redisMs -= 3_600_000;
  await steppedFleet.poll();
  expect(steppedFleet.redisNowMs()).toBeLessThan(1_000_000 - 3_500_000);
  expect(fleet.redisNowMs()).toBeUndefined();
});

it('is closed while Redis is down, keeps its time, and opens when Redis is back', async () => {
  const server = await ownRedis();
  const link = testLink(server.url);
  await link.ready(10_000);
  const keys = keysFor('p');
  await link.client.set(keys.workerAlive, '1');
  const fleet = createFleetStatus({ clock: testClock, queue: link, keys });
  await fleet.poll();
  expect(fleet.whyCannotCall()).toBeUndefined();
  await server.kill();
  await fleet.poll();
  expect(fleet.whyCannotCall()).toBe('the queue cannot be reached');
  expect(fleet.redisNowMs()).toBeTypeOf('number');
  await server.start();
  await vi.waitFor(
    async () => {
      await fleet.poll();
      expect(fleet.whyCannotCall()).toBeUndefined();
    },
    { timeout: 10_000 },
  );
});

it('is closed within a second while Redis is frozen', async () => {
  const server = await ownRedis();
  const link = testLink(server.url);
  await link.ready(10_000);
  const fleet = createFleetStatus({ clock: testClock, queue: link, keys: keysFor('p') });
  const run = vi.spyOn(link, 'run');
  server.signal('SIGSTOP');
  const since = performance.now();
  await fleet.poll();
  expect(performance.now() - since).toBeLessThan(5000); // slack for a busy machine
  expect(run.mock.calls[0]?.[0]).toBeLessThanOrEqual(1000);
  expect(fleet.whyCannotCall()).toBe('the queue cannot be reached');
});
