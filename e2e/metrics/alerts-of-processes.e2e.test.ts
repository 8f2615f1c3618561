import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../testing/redis/tcp-proxy.ts';
import { type ObservedFleet, startObservedFleet } from './observed-fleet.ts';

let observed: ObservedFleet;
/** Between the api and the Redis of its frames and announcements. */
let framesProxy: TcpProxy;

beforeAll(async () => {
  observed = await startObservedFleet(async (redisPort) => {
    framesProxy = await startTcpProxy(redisPort);
    return { FRAMES_REDIS_URL: `redis://127.0.0.1:${framesProxy.port}` };
  });
  const { slow } = observed.fleet;
  await observed.setViewedCameras([slow.camera('gate'), slow.camera('a')]);
});

afterAll(async () => {
  try {
    await observed?.checkAndStop();
  } finally {
    await framesProxy?.close();
  }
});

it('alerts on a queue Redis that may evict permits', async () => {
  const { redis } = observed.fleet;
  await observed.waitForNoAlerts();
  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  const restore = () => redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  await observed.waitForAlerts('LastframeQueueRedisUnfit').finally(restore);
});

it('alerts on a queue Redis that lost its data', async () => {
  await observed.waitForNoAlerts();
  await observed.fleet.redis.command('FLUSHALL');
  await observed.waitForAlerts('LastframeFleetHeldOff');
});

it('alerts on slow announcements', async () => {
  await observed.waitForNoAlerts();
  framesProxy.delay(700);
  await observed.waitForAlerts('LastframeAnnouncementsLate').finally(() => framesProxy.delay(0));
});

it('alerts on a process that keeps stalling', async () => {
  const { worker } = observed;
  await observed.waitForNoAlerts();
  const stopping = new AbortController();
  const stuttering = stutter(worker, stopping.signal);
  await observed.waitForAlerts('LastframeEventLoopBusy').finally(() => stopping.abort());
  await stuttering;
});

it('alerts on an uncaught error', async () => {
  const { worker } = observed;
  await observed.waitForNoAlerts();
  worker.signal('SIGUSR2');
  await observed.waitForAlerts('LastframeUncaughtErrors');
  expect(worker.hasEnded).toBe(false);
});

it('alerts without a worker: jobs wait, and a camera is not called', async () => {
  const { api, worker, fleet } = observed;
  await observed.waitForNoAlerts();
  worker.signal('SIGSTOP');
  const cameras = Array.from({ length: 150 }, (_, n) => fleet.slow.camera(`waiting-${n}`));
  const headers = { Prefer: 'respond-async' };
  await Promise.all(cameras.map((camera) => api.image(camera, { headers })));
  await observed
    .waitForAlerts('LastframeNoWorker', 'LastframeQueueGrowing', 'LastframeCameraLate')
    .finally(() => worker.signal('SIGCONT'));
});

it('alerts on a lost Redis', async () => {
  await observed.waitForNoAlerts();
  await observed.fleet.redis.kill();
  await observed.waitForAlerts('LastframeRedisLost').finally(() => observed.fleet.redis.start());
});

it('alerts without an api', async () => {
  await observed.waitForNoAlerts();
  await observed.api.end('SIGKILL');
  await observed.waitForAlerts('LastframeNoApi');
});

/** Stops the process most of the time, as an overloaded machine would. */
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
