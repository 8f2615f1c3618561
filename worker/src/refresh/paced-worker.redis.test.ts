import { randomUUID } from 'node:crypto';
import { systemClock } from '@lastframe/shared/process/clock';
import { QUEUE_NAME } from '@lastframe/shared/redis/keys';
import { createNodeRedisClient, type Job, Queue } from 'bullmq';
import { expect, inject, it, onTestFinished } from 'vitest';
import { testLink } from '../../../testing/redis/test-redis.ts';
import { createJobIntake } from './job-intake.ts';
import { PacedWorker, type ProcessJob } from './paced-worker.ts';

const SOON = { timeout: 20_000 };
const FIRST_LIMIT = 16;

/** A queue, and workers that process its jobs as the test says. */
async function parts() {
  const prefix = `test-${randomUUID()}`;
  const link = testLink(inject('redisUrl'), { offlineQueue: true });
  await link.ready(10_000);
  const queue = new Queue(QUEUE_NAME, { connection: link.client, prefix, skipVersionCheck: true });
  const startWorker = (process: ProcessJob, concurrency = 1000) => {
    const { client } = testLink(inject('redisUrl'), { offlineQueue: true });
    const intake = createJobIntake(systemClock, concurrency);
    const connection = createNodeRedisClient(client).on('error', () => {});
    const options = { connection, prefix, autorun: false, skipVersionCheck: true };
    const worker = new PacedWorker(QUEUE_NAME, process, intake, options);
    const errors: string[] = [];
    worker.on('error', ({ message }) => errors.push(message));
    worker.run().catch(() => {});
    onTestFinished(async () => await worker.close(true));
    return { worker, errors };
  };
  const add = (count: number) =>
    queue.addBulk(
      Array.from({ length: count }, (_, n) => ({
        name: 'job',
        data: {},
        opts: { jobId: `j-${n}` },
      })),
    );
  return { queue, startWorker, add, client: link.client, prefix };
}

/** Jobs that stay where they are until released. */
function heldJobs() {
  const taken: string[] = [];
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const until =
    (step: 'begun' | 'started'): ProcessJob =>
    async (job: Job, place) => {
      taken.push(String(job.id));
      if (step === 'started') place.started();
      await released;
      return 'done';
    };
  return { taken, release, until };
}

it('starts the first job before it takes more than it can start', async () => {
  const { startWorker, add, queue } = await parts();
  await add(200);
  const { taken, release, until } = heldJobs();
  startWorker(until('begun'));
  await expect.poll(() => taken.length, SOON).toBe(FIRST_LIMIT);
  expect(await queue.getActiveCount()).toBe(FIRST_LIMIT);
  release();
  await expect.poll(() => queue.getCompletedCount(), SOON).toBe(200);
});

it('leaves what it cannot start to another worker', async () => {
  const { startWorker, add, queue } = await parts();
  await add(200);
  const slow = heldJobs();
  startWorker(slow.until('begun'));
  await expect.poll(() => slow.taken.length, SOON).toBe(FIRST_LIMIT);
  const quick = heldJobs();
  quick.release();
  startWorker(quick.until('begun'));
  await expect.poll(() => queue.getCompletedCount(), SOON).toBe(200 - FIRST_LIMIT);
  expect(slow.taken).toHaveLength(FIRST_LIMIT);
  slow.release();
  await expect.poll(() => queue.getCompletedCount(), SOON).toBe(200);
});

it('goes on taking jobs while calls are under way, up to its concurrency', async () => {
  const { startWorker, add, queue } = await parts();
  await add(200);
  const { taken, release, until } = heldJobs();
  startWorker(until('started'), 100);
  await expect.poll(() => taken.length, SOON).toBe(100);
  expect(await queue.getActiveCount()).toBe(100);
  release();
  await expect.poll(() => queue.getCompletedCount(), SOON).toBe(200);
  expect(new Set(taken).size).toBe(200);
});

it('takes a job that is added while it waits for one', async () => {
  const { startWorker, add, queue } = await parts();
  const { release, until } = heldJobs();
  release();
  const { worker } = startWorker(until('started'));
  await expect.poll(() => worker.isRunning(), SOON).toBe(true);
  await add(1);
  await expect.poll(() => queue.getCompletedCount(), SOON).toBe(1);
});

it('passes over jobs that cannot be read, at either way of taking one', async () => {
  const { startWorker, add, queue, client, prefix } = await parts();
  await add(20);
  for (const n of [0, 7, 8, 19]) await client.hSet(`${prefix}:refresh:j-${n}`, 'data', '{no json');
  const { release, until } = heldJobs();
  release();
  const { errors } = startWorker(until('started'));
  await expect.poll(() => queue.getCompletedCount(), SOON).toBe(16);
  expect(errors.filter((message) => /JSON/.test(message)).length).toBeGreaterThanOrEqual(4);
});

it('closes once its jobs have ended, and takes no more', async () => {
  const { startWorker, add, queue } = await parts();
  await add(50);
  const { taken, release, until } = heldJobs();
  const { worker } = startWorker(until('begun'));
  await expect.poll(() => taken.length, SOON).toBe(FIRST_LIMIT);
  const closed = worker.close();
  release();
  await closed;
  expect(worker.isRunning()).toBe(false);
  expect(await queue.getCompletedCount()).toBe(FIRST_LIMIT);
  expect(await queue.getActiveCount()).toBe(0);
});
