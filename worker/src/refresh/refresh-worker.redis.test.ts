import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { refreshJobFor, refreshJobOptions } from '@lastframe/shared/messages/refresh-job';
import { type Job, Queue } from 'bullmq';
import { expect, inject, it, onTestFinished } from 'vitest';
import { ownRedis, testLink } from '../../../testing/test-redis.ts';
import { silentLog, testCamera } from '../test-support/cameras.ts';
import type { RefreshOutcome } from './refresh.ts';
import { createRefreshWorker } from './refresh-worker.ts';

const SOON = { timeout: 20_000 };

/** A worker whose refreshes end as the test says, and a queue to add jobs with. */
function workerParts(options: { url?: string; queueUrl?: string; outcomes?: string[] } = {}) {
  const { url = inject('redisUrl'), queueUrl = url, outcomes = [] } = options;
  const prefix = `test-${randomUUID()}`;
  const did: string[] = [];
  const refresh = async () => {
    const outcome = outcomes[did.length] ?? 'captured';
    did.push(outcome);
    return outcome as RefreshOutcome;
  };
  const redis = testLink(url, { offlineQueue: true });
  const worker = createRefreshWorker({ redis, prefix, concurrency: 2, refresh, log: silentLog });
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
  return { worker, redis, did, add, queue };
}

it('a job that was denied can be asked for again at once, one that ended otherwise in the next bucket', async () => {
  const { did, add, queue } = workerParts({ outcomes: ['denied: budget', 'captured'] });
  await add('a');
  await expect.poll(() => queue.getJob('a'), SOON).toBeUndefined();
  await add('a');
  await expect.poll(() => queue.getCompletedCount(), SOON).toBe(1);
  await add('a');
  await add('b');
  await expect.poll(() => queue.getCompletedCount(), SOON).toBe(2);
  expect(did).toEqual(['denied: budget', 'captured', 'captured']);
});

it('asks Redis nothing at its start whose loss would stop it for good', async () => {
  const server = await ownRedis();
  let cuts = 0;
  // Cuts a connection when it first asks for Redis's version.
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
  const { did, add } = workerParts({ url, queueUrl: server.url });
  await add('a');
  await expect.poll(() => did, SOON).toEqual(['captured']);
});

it('that is closed makes nothing of a connection that is lost later', async () => {
  const server = await ownRedis();
  const { worker, redis, did, add } = workerParts({ url: server.url });
  await add('a');
  await expect.poll(() => did, SOON).toEqual(['captured']);
  await worker.close();
  const lost = new Promise((done) => redis.client.once('error', done));
  await server.kill();
  await lost;
  await expect.poll(() => redis.isReady).toBe(false);
});
