import { refreshJobId, refreshJobOptions } from '@lastframe/shared/messages/refresh-job';
import { RedisUnavailableError } from '@lastframe/shared/process/errors';
import { Queue } from 'bullmq';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ownRedis, sharedRedis, testLink } from '../../../testing/redis/test-redis.ts';
import { testCamera } from '../../../testing/test-camera.ts';
import { createRefreshQueue } from './refresh-queue.ts';

const camera = testCamera('a', { intervalMs: 5000 });
const { cameraId } = camera;
const NOW_MS = 1_790_000_000_000; // begins a bucket
const RECOVERY = { timeout: 10_000, interval: 50 };

/** The queue as a worker or the dashboard sees it. */
function queueAt(url: string, prefix: string): Queue {
  const { client } = testLink(url, { offlineQueue: true });
  const queue = new Queue('refresh', { connection: client, prefix, skipVersionCheck: true });
  queue.on('error', () => {});
  onTestFinished(() => queue.disconnect());
  return queue;
}

async function queueParts() {
  const { link, prefix } = await sharedRedis();
  const jobs = createRefreshQueue(link, prefix, 'me', () => 0);
  const queue = queueAt(String(link.client.options?.url), prefix);
  return { link, prefix, jobs, queue };
}

it('makes one job of all requests in a bucket, and another in the next', async () => {
  const { jobs, queue } = await queueParts();
  await Promise.all([0, 0, 1, 4999].map((ms) => jobs.add(camera, NOW_MS + ms)));
  expect(await queue.getWaitingCount()).toBe(1);
  await jobs.add(camera, NOW_MS + 5000);
  await jobs.add(testCamera('b'), NOW_MS);
  expect(await queue.getWaitingCount()).toBe(3);
});

it('makes another job after the clock was set back, while the first is still kept', async () => {
  const { link, prefix, queue } = await queueParts();
  let sinceMs = 0;
  const jobs = createRefreshQueue(link, prefix, 'me', () => sinceMs);
  await jobs.add(camera, NOW_MS);
  sinceMs = NOW_MS - 60_000; // set back by a minute, and a minute later
  await jobs.add(camera, NOW_MS);
  expect(await queue.getWaitingCount()).toBe(2);
});

it('puts the camera and the request time into a job, with the options of a refresh', async () => {
  const { jobs, queue } = await queueParts();
  await jobs.add(camera, NOW_MS + 42);
  const [job] = await queue.getWaiting();
  expect(job?.id).toBe(refreshJobId(cameraId, 5000, { redisMs: NOW_MS, sinceMs: 0 }));
  expect(job?.name).toBe(cameraId);
  expect(job?.data).toEqual({
    v: 1,
    cameraId,
    url: camera.url,
    askedAtMs: NOW_MS + 42,
    askedBy: 'me',
  });
  expect(job?.opts).toMatchObject(refreshJobOptions);
  expect(job?.opts.delay ?? 0).toBe(0);
});

it('keeps working after Redis has lost its scripts', async () => {
  const { link, jobs, queue } = await queueParts();
  await jobs.add(camera, NOW_MS);
  await link.client.scriptFlush();
  await jobs.add(camera, NOW_MS + 5000);
  expect(await queue.getWaitingCount()).toBe(2);
});

it('keeps working after Redis has lost all data', async () => {
  const server = await ownRedis();
  const link = testLink(server.url);
  await link.ready(10_000);
  const jobs = createRefreshQueue(link, 'p', 'me', () => 0);
  await jobs.add(camera, NOW_MS);
  await server.command('FLUSHALL');
  await jobs.add(camera, NOW_MS);
  expect(await server.command('LLEN', 'p:refresh:wait')).toBe(1);
});

it('works when Redis was down on startup', async () => {
  const server = await ownRedis();
  await server.kill();
  const link = testLink(server.url);
  const jobs = createRefreshQueue(link, 'p', 'me', () => 0);
  await expect(jobs.add(camera, NOW_MS)).rejects.toThrow(RedisUnavailableError);
  await server.start();
  await vi.waitFor(() => jobs.add(camera, NOW_MS), RECOVERY);
  expect(await server.command('LLEN', 'p:refresh:wait')).toBe(1);
});

it('fails at once while Redis is down, and works again after its restart', async () => {
  const server = await ownRedis();
  const link = testLink(server.url);
  await link.ready(10_000);
  const jobs = createRefreshQueue(link, 'p', 'me', () => 0);
  await jobs.add(camera, NOW_MS);
  await server.kill();
  await vi.waitFor(() => expect(link.isReady).toBe(false), RECOVERY);
  await expect(jobs.add(camera, NOW_MS + 5000)).rejects.toThrow(RedisUnavailableError);
  await server.start();
  await vi.waitFor(() => jobs.add(camera, NOW_MS + 10_000), RECOVERY);
  expect(await server.command('LLEN', 'p:refresh:wait')).toBe(2);
});

it('makes a job for each camera requested in one tick right after a restart', async () => {
  const server = await ownRedis();
  const link = testLink(server.url);
  await link.ready(10_000);
  const jobs = createRefreshQueue(link, 'p', 'me', () => 0);
  await jobs.add(camera, NOW_MS);
  await server.kill();
  await vi.waitFor(() => expect(link.isReady).toBe(false), RECOVERY);
  await server.start();
  await vi.waitFor(() => expect(link.isReady).toBe(true), RECOVERY);
  // In one round trip, with all scripts gone.
  const cameras = Array.from({ length: 50 }, (_, n) => testCamera(`after-${n}`));
  await Promise.all(cameras.map((one) => jobs.add(one, NOW_MS)));
  expect(await server.command('LLEN', 'p:refresh:wait')).toBe(51);
});

it('fails within a second when Redis is frozen, even for the first job', async () => {
  const server = await ownRedis();
  const link = testLink(server.url);
  await link.ready(10_000);
  const jobs = createRefreshQueue(link, 'p', 'me', () => 0);
  const run = vi.spyOn(link, 'run');
  server.signal('SIGSTOP');
  const since = performance.now();
  await expect(jobs.add(camera, NOW_MS)).rejects.toThrow();
  expect(performance.now() - since).toBeLessThan(5000); // slack for a busy machine
  expect(run.mock.calls[0]?.[0]).toBeLessThanOrEqual(1000);
  server.signal('SIGCONT');
  await vi.waitFor(() => jobs.add(camera, NOW_MS + 5000), RECOVERY);
});
