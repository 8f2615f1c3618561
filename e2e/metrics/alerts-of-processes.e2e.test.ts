import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../testing/redis/tcp-proxy.ts';
import { warmUp } from '../../testing/viewers/viewers.ts';
import { type ObservedFleet, startObservedFleet } from './observed-fleet.ts';

let observed: ObservedFleet;
/** Between the api and the Redis of its frames and announcements. */
let framesProxy: TcpProxy;
/** Between the worker and Redis. */
let workerProxy: TcpProxy;

beforeAll(async () => {
  observed = await startObservedFleet(async (redisPort) => {
    framesProxy = await startTcpProxy(redisPort);
    workerProxy = await startTcpProxy(redisPort);
    return {
      api: { FRAMES_REDIS_URL: `redis://127.0.0.1:${framesProxy.port}` },
      worker: { REDIS_URL: `redis://127.0.0.1:${workerProxy.port}` },
    };
  });
  const { slow } = observed.fleet;
  await observed.setViewedCameras([slow.camera('gate'), slow.camera('a')]);
});

afterAll(async () => {
  try {
    await observed?.checkAndStop();
  } finally {
    await Promise.all([framesProxy?.close(), workerProxy?.close()]);
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
  const stopStuttering = stutter(worker);
  await observed.waitForAlerts('LastframeEventLoopBusy').finally(stopStuttering);
});

it('alerts on a worker whose permits take long', async () => {
  await observed.waitForNoAlerts();
  workerProxy.delay(200);
  await observed.waitForAlerts('LastframeWorkersOverloaded').finally(() => workerProxy.delay(0));
});

it('alerts on more slow cameras than the workers can call on time', async () => {
  const { slow } = observed.fleet;
  const names = Array.from({ length: 150 }, (_, n) => `watched-${n}`);
  await observed.waitForNoAlerts();
  const leave = await watch(names.map((name) => slow.camera(name)));
  const setDelay = (delay: string) =>
    Promise.all(names.map((name) => slow.setBehaviour(name, { delay })));
  await setDelay('3s');
  await observed.waitForAlerts('LastframeFleetBehind').finally(leave);
  await setDelay('100ms');
});

it('alerts on an uncaught error', async () => {
  const { worker } = observed;
  await observed.waitForNoAlerts();
  worker.signal('SIGUSR2');
  await observed.waitForAlerts('LastframeUncaughtErrors');
  expect(worker.hasEnded).toBe(false);
});

it('alerts without a worker: a camera is not called', async () => {
  const { worker } = observed;
  await observed.waitForNoAlerts();
  worker.signal('SIGSTOP');
  await observed
    .waitForAlerts('LastframeNoWorker', 'LastframeCameraLate')
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

/** Opens streams of these cameras once each has a frame. Returns a function that closes them. */
async function watch(cameras: readonly string[]): Promise<() => void> {
  const { url } = observed.api;
  await warmUp([url], cameras);
  const leaving = new AbortController();
  // One stream shows at most 64 cameras by URL.
  for (let first = 0; first < cameras.length; first += 50) {
    const query = new URLSearchParams(
      cameras.slice(first, first + 50).map((camera) => ['url', camera]),
    );
    const { status, body } = await fetch(`${url}/events?${query}`, { signal: leaving.signal });
    expect(status).toBe(200);
    // Read each body: an unreferenced response is closed by garbage collection.
    void body?.pipeTo(new WritableStream()).catch(() => {});
  }
  return () => leaving.abort();
}

/**
 * Pauses the process repeatedly, as an overloaded machine would. Returns a function that stops this
 * and resolves once the process runs.
 */
function stutter(child: Pick<ObservedFleet['worker'], 'signal'>): () => Promise<void> {
  let isStopped = false;
  const run = async () => {
    while (!isStopped) {
      child.signal('SIGSTOP');
      await sleep(350); // the fault itself
      child.signal('SIGCONT');
      await sleep(100);
    }
  };
  const running = run();
  return async () => {
    isStopped = true;
    await running;
  };
}
