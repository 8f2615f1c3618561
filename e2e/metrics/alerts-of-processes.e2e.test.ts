import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../testing/tcp-proxy.ts';
import { type ObservedFleet, startObservedFleet } from './observed-fleet.ts';

let observed: ObservedFleet;
/** Between the api and its frames and announcements. */
let newsProxy: TcpProxy;

beforeAll(async () => {
  observed = await startObservedFleet(async (redisPort) => {
    newsProxy = await startTcpProxy(redisPort);
    return { FRAMES_REDIS_URL: `redis://127.0.0.1:${newsProxy.port}` };
  });
  const { slow } = observed.fleet;
  await observed.view([slow.camera('gate'), slow.camera('a')]);
});

afterAll(async () => {
  try {
    await observed?.checkAndStop();
  } finally {
    await newsProxy?.close();
  }
});

it('a queue Redis that may evict permits', async () => {
  const { redis } = observed.fleet;
  await observed.silent();
  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  const restore = () => redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  await observed.fires('LastframeQueueRedisUnfit').finally(restore);
});

it('a queue Redis that lost its data', async () => {
  await observed.silent();
  await observed.fleet.redis.command('FLUSHALL');
  await observed.fires('LastframeFleetHeldOff');
});

it('announcements that take long', async () => {
  await observed.silent();
  newsProxy.delay(700);
  await observed.fires('LastframeAnnouncementsLate').finally(() => newsProxy.delay(0));
});

it('a process that is stopped time and again', async () => {
  const { worker } = observed;
  await observed.silent();
  const stopping = new AbortController();
  const stuttering = stutter(worker, stopping.signal);
  await observed.fires('LastframeEventLoopBusy').finally(() => stopping.abort());
  await stuttering;
});

it('an error that nothing catches', async () => {
  const { worker } = observed;
  await observed.silent();
  worker.signal('SIGUSR2');
  await observed.fires('LastframeUncaughtErrors');
  expect(worker.hasEnded).toBe(false);
});

it('no worker: jobs that nobody takes, a camera that nobody calls', async () => {
  const { api, worker, fleet } = observed;
  await observed.silent();
  worker.signal('SIGSTOP');
  const cameras = Array.from({ length: 150 }, (_, n) => fleet.slow.camera(`waiting-${n}`));
  const headers = { Prefer: 'respond-async' };
  await Promise.all(cameras.map((camera) => api.image(camera, { headers })));
  await observed
    .fires('LastframeNoWorker', 'LastframeQueueGrowing', 'LastframeCameraLate')
    .finally(() => worker.signal('SIGCONT'));
});

it('a Redis that is gone', async () => {
  await observed.silent();
  await observed.fleet.redis.kill();
  await observed.fires('LastframeRedisLost').finally(() => observed.fleet.redis.start());
});

it('no api', async () => {
  await observed.silent();
  await observed.api.end('SIGKILL');
  await observed.fires('LastframeNoApi');
});

/** Stops the process for most of the time, as a machine without CPU to spare would. */
async function stutter(
  child: Pick<ObservedFleet['worker'], 'signal'>,
  until: AbortSignal,
): Promise<void> {
  while (!until.aborted) {
    child.signal('SIGSTOP');
    await sleep(350); // the fault itself
    child.signal('SIGCONT');
    await sleep(100);
  }
}
