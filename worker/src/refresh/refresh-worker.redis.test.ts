import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { refreshJobFor, refreshJobOptions } from '@lastframe/shared/messages/refresh-job';
import { systemClock } from '@lastframe/shared/process/clock';
import { type Job, Queue } from 'bullmq';
import { expect, inject, it, onTestFinished } from 'vitest';
import { ownRedis, testLink } from '../../../testing/redis/test-redis.ts';
import { silentLog, testCamera } from '../test-support/cameras.ts';
import { createJobIntake } from './job-intake.ts';
import { CAPTURED, denied, type RefreshOutcome } from './outcome.ts';
import { createRefreshWorker } from './refresh-worker.ts';

const SOON = { timeout: 20_000 };

/** A worker whose refreshes end as the test says, and a queue to add jobs to. */
function workerParts(
  options: { url?: string; queueUrl?: string; outcomes?: RefreshOutcome[] } = {},
) {
  const { url = inject('redisUrl'), queueUrl = url, outcomes = [] } = options;
  const prefix = `test-${randomUUID()}`;
  const runs: string[] = [];
  const refresh = async () => {
    const outcome = outcomes[runs.length] ?? CAPTURED;
    runs.push(outcome.text);
    return outcome;
  };
  const redis = testLink(url, { offlineQueue: true });
  const worker = createRefreshWorker({
    redis,
    prefix,
    intake: createJobIntake(systemClock, 2),
    refresh,
    log: silentLog,
  });
  const { client } = testLink(queueUrl, { offlineQueue: true });
  const queue = new Queue('refresh', { connection: client, prefix, skipVersionCheck: true });
  queue.on('error', () => {});
  worker.run().catch(() => {});
  onTestFinished(async () => {
    await Promise.race([worker.close(true), redis.close()]);
    queue.disconnect();
  });
  const add = (jobId: string): Promise<Job> =>
    queue.add('camera', refreshJobFor(testCamera(), 1), { ...refreshJobOptions, jobId });
  return { worker, redis, runs, add, queue };
}

it.each(['budget', 'busy'] as const)(
  'a job denied as %s can be added again at once, any other only in the next bucket',
  async (reason) => {
    const { runs, add, queue } = workerParts({ outcomes: [denied(reason), CAPTURED] });
    await add('a');
    await expect.poll(() => queue.getJob('a'), SOON).toBeUndefined();
    await add('a');
    await expect.poll(() => queue.getCompletedCount(), SOON).toBe(1);
    await add('a');
    await add('b');
    await expect.poll(() => queue.getCompletedCount(), SOON).toBe(2);
    expect(runs).toEqual([`denied: ${reason}`, 'captured', 'captured']);
  },
);

it('takes jobs even if connections are lost on startup', async () => {
  const server = await ownRedis();
  let cuts = 0;
  // Drops a connection when it first requests Redis's version.
  const proxy = createServer((near) => {
    const far = connect(server.port, '127.0.0.1');
    near.on('data', (bytes) => {
      if (cuts < 2 && /\$4\r\nINFO\r\n/i.test(bytes.toString('latin1'))) {
        cuts += 1;
        near.destroy();
      } else far.write(bytes);
    });
    far.pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {}).on('close', () => other.destroy());
    }
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void proxy.close());
  const url = `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const { runs, add } = workerParts({ url, queueUrl: server.url });
  await add('a');
  await expect.poll(() => runs, SOON).toEqual(['captured']);
});

it('ignores a connection lost after it was closed', async () => {
  const server = await ownRedis();
  const { worker, redis, runs, add } = workerParts({ url: server.url });
  await add('a');
  await expect.poll(() => runs, SOON).toEqual(['captured']);
  await worker.close();
  const lost = new Promise((done) => redis.client.once('error', done));
  await server.kill();
  await lost;
  await expect.poll(() => redis.isReady).toBe(false);
});
