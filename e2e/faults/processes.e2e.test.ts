import { setTimeout as sleep } from 'node:timers/promises';
import { cameraIdOf } from '@lastframe/shared/cameras/camera';
import { Queue } from 'bullmq';
import { createClient } from 'redis';
import { afterEach, describe, expect, it } from 'vitest';
import { earliestTimeOf, type UpstreamCall } from '../../testing/checks/checker.ts';
import { expectCleanEnd, expectPermitsEnd, recoveryMs } from '../../testing/checks/recovery.ts';
import { printMeasurements } from '../../testing/checks/report.ts';
import {
  busyFactor,
  expectNoFrameYet,
  expectServed,
  PATIENT_CALLS,
  PATIENT_LIFE_MS,
  PERMIT_LIFE_MS,
  SHORT_TIMES,
  START_ALLOWANCE_MS,
} from '../../testing/checks/short-faults.ts';
import { type Balancer, startBalancer } from '../../testing/fleet/balancer.ts';
import type { Child } from '../../testing/fleet/child.ts';
import { type Api, type Fleet, type FleetOptions, startFleet } from '../../testing/fleet/fleet.ts';
import { isStopped } from '../../testing/fleet/proc.ts';
import { measureSlowdown } from '../../testing/fleet/slowdown.ts';
import { startViewers, warmUp } from '../../testing/viewers/viewers.ts';

const INTERVAL_MS = 500;
/** What a busy machine with two cores may add to any recovery. */
const SLACK_MS = 20_000;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

describe('a worker is killed', () => {
  it('in mid-call and at random moments: viewers notice nothing, and spent permits expire', async () => {
    const { cameras, urls, api } = await startWarm({ apis: 2, workers: 2, delayMs: 400 }, 12);
    const viewers = startViewers(() => urls, cameras);

    // The calls may have been the other worker's, or over by the time of the kill.
    for (let round = 0; round < 3 || (round < 8 && !(await cutOff()).length); round += 1) {
      await sleep(Math.random() * 2 * INTERVAL_MS); // until a random moment
      await callsInFlight(4);
      expect(await fleet.workers[round]?.end('SIGKILL')).toBeNull();
      await fleet.startWorker();
    }
    const recovered = await recoveryOfAll(api, cameras);

    const broken = await cutOff();
    expect(broken.length).toBeGreaterThan(0);
    const gaps = await gapsAfter(broken);
    printMeasurements('worker kill -9', {
      broken: broken.length,
      gapAfterBrokenMs: Math.max(...gaps),
      recovered,
    });
    for (const gapMs of gaps) expect(gapMs).toBeGreaterThan(PERMIT_LIFE_MS - START_ALLOWANCE_MS);
    expect(Math.max(...gaps)).toBeLessThan(PERMIT_LIFE_MS + INTERVAL_MS + SLACK_MS);
    expect(recovered).toBeLessThan(PERMIT_LIFE_MS + SLACK_MS);
    expectServed(await viewers.stop());
    await expectNothingLeft();
  });
});

describe('an api process is killed under load', () => {
  it('the others keep serving, and its successor serves known cameras at once', async () => {
    const { cameras, urls } = await startWarm({ apis: 3 }, 5);
    const [victim] = fleet.apis;
    const others = startViewers(() => urls.slice(1), cameras);
    const victimViewers = startViewers(() => urls.slice(0, 1), cameras);

    await sleep(INTERVAL_MS); // some load before the kill
    expect(await victim?.end('SIGKILL')).toBeNull();
    await sleep(2 * INTERVAL_MS); // and across it

    expect((await victimViewers.stop()).failures.length).toBeGreaterThan(0);
    const successor = await fleet.startApi();
    const startedMs = performance.now();
    const answers = await Promise.all(cameras.map((camera) => successor.image(camera)));
    expect(answers.map(({ status }) => status)).toEqual(cameras.map(() => 200));
    printMeasurements('api kill -9', { successorServedMs: performance.now() - startedMs });
    expect(performance.now() - startedMs).toBeLessThan(5000);
    for (const { headers } of answers) expect(headers.get('cache-status')).toContain('hit');
    expectServed(await others.stop());
    await expectNothingLeft();
  });
});

describe('workers that are stopped for longer than an interval', () => {
  it('recover: between calls, in mid-call, and after longer than a permit lives', async () => {
    const { cameras, urls, api } = await startWarm({ workers: 2, delayMs: 50 }, 6);
    const viewers = startViewers(() => urls, cameras);
    const [first, second] = fleet.workers;
    if (!first || !second) throw new Error('two workers were started');

    await expect
      .poll(async () => await inFlight(), { timeout: 30_000, interval: 5 })
      .toHaveLength(0);
    const between = await pauseProcesses([first, second], 3 * INTERVAL_MS);
    const afterBetweenMs = await recoveryOfAll(api, cameras);
    expect(between.callsStarted).toBe(0);

    await Promise.all(
      cameras.map((_, n) => fleet.slow.setBehaviour(`cam-${n}`, { delay: '400ms' })),
    );
    await callsInFlight(3);
    const midCall = await pauseProcesses([first, second], 3 * INTERVAL_MS);
    const afterMidCallMs = await recoveryOfAll(api, cameras);
    expect(midCall.callsStarted).toBe(0);

    await callsInFlight(3);
    const one = await pauseProcesses([first], PERMIT_LIFE_MS + 3 * INTERVAL_MS);
    const afterOneMs = await recoveryOfAll(api, cameras);
    expect(one.callsStarted).toBeGreaterThan(0); // the other worker kept calling

    printMeasurements('SIGSTOP', { afterBetweenMs, afterMidCallMs, afterOneMs });
    expect(afterBetweenMs).toBeLessThan(SLACK_MS);
    expect(afterMidCallMs).toBeLessThan(SLACK_MS);
    expect(afterOneMs).toBeLessThan(PERMIT_LIFE_MS + SLACK_MS);
    expectServed(await viewers.stop());
    await expectNothingLeft();
  });
});

describe('a rolling restart', () => {
  it('of 8 api processes, behind balancers that check every 50 and every 1000 ms, and of 4 workers: no request fails, no call is cut off', async () => {
    // A new process that gets no CPU for a while reads its first frames late.
    const env = { ...PATIENT_CALLS, COLD_WAIT: '10s' };
    const { cameras } = await startWarm({ apis: 3, workers: 2, delayMs: 300, env }, 6);
    const balancers = await Promise.all([startBalancer(50), startBalancer(1000)]);
    await Promise.all(fleet.apis.flatMap((api) => balancers.map((each) => each.addWhenReady(api))));
    const viewers = balancers.map(({ url }) =>
      startViewers(() => [url], cameras, { viewers: 6, pauseMs: 40 }),
    );

    await Promise.all([rollApis(8, balancers), rollWorkers(4)]);

    for (const load of viewers) {
      const seen = await load.stop();
      printMeasurements('rolling restart', { ...seen });
      expectServed(seen);
      expect(seen.oldestAgeS).toBeLessThan(PATIENT_LIFE_MS / 1000); // no permit was lost
    }
    expect(await brokenCalls()).toEqual([]);
    await Promise.all(balancers.map((balancer) => balancer.close()));
    await expectNothingLeft(PATIENT_LIFE_MS);
  });
});

describe('no worker for a while, then one', () => {
  it('viewers keep their frames, the queue does not grow, old jobs are dropped', async () => {
    const { cameras, urls, api } = await startWarm({ apis: 2, env: PATIENT_CALLS }, 5);
    const viewers = startViewers(() => urls, cameras);
    let lastCount = 0;
    const growthOfQueue = async () => {
      const before = lastCount;
      lastCount = await jobsWaiting();
      return lastCount - before;
    };
    await fleet.workers[0]?.end('SIGKILL');
    // A worker's heartbeat holds for 5 s, and each api checks once a second; then requests stop.
    await expect.poll(() => exists('worker-alive'), { timeout: 30_000 }).toBe(0);
    await expect.poll(() => growthOfQueue(), { timeout: 30_000, interval: 1100 }).toBe(0);
    const calls = (await fleet.slow.calls()).length;
    const waitingBefore = await jobsWaiting();
    const coldOnes = Array.from({ length: 100 }, (_, n) => fleet.slow.camera(`cold-${n}`));
    await Promise.all(coldOnes.map((camera) => expectNoFrameYet(api, camera)));
    const waiting = await jobsWaiting();
    await sleep(2 * INTERVAL_MS); // under load, without a worker
    expect(await jobsWaiting()).toBe(waiting);
    expect(waitingBefore).toBeLessThan(100); // a job per known camera and interval until noticed
    expect(waiting - waitingBefore).toBeLessThan(coldOnes.length / 2);
    expect((await fleet.slow.calls()).length).toBe(calls);
    const old = fleet.slow.camera('wanted-a-minute-ago');
    await addByHand('old', {
      v: 1,
      cameraId: cameraIdOf(old),
      url: old,
      askedAtMs: Date.now() - 61_000,
    });

    const worker = await fleet.startWorker();
    const recovered = await recoveryOfAll(api, cameras);

    await expect.poll(() => jobsWaiting(), { timeout: 60_000 }).toBeLessThanOrEqual(cameras.length);
    printMeasurements('no worker', { waiting, recovered });
    expect(recovered).toBeLessThan(INTERVAL_MS + SLACK_MS);
    // Each api retries within a second or two, and requests what viewers wanted meanwhile.
    const coldOnesCalled = async () => {
      const urls = (await fleet.slow.calls()).map(({ url }) => url);
      return new Set(urls.filter((url) => coldOnes.includes(url))).size;
    };
    await expect.poll(coldOnesCalled, { timeout: 60_000 }).toBe(coldOnes.length);
    const lastCalls = async () => {
      await recoveryOfAll(api, cameras);
      return (await fleet.slow.calls()).slice(-2 * cameras.length).map(({ url }) => url);
    };
    // Their viewers have left: they are not called any more.
    const coldOfLast = async () => (await lastCalls()).filter((url) => coldOnes.includes(url));
    await expect.poll(coldOfLast, { timeout: 60_000 }).toEqual([]);
    const called = (await fleet.slow.calls()).map(({ url }) => url);
    expect(called).not.toContain(old);
    // A job added while an earlier one waited calls again; a slow machine has more of them.
    const coldCalls = called.filter((camera) => coldOnes.includes(camera));
    expect(coldCalls.length).toBeLessThan(5 * coldOnes.length);
    expectServed(await viewers.stop());
    expect(worker.hasEnded).toBe(false);
    await expectNothingLeft(PATIENT_LIFE_MS);
  });
});

describe('poison jobs', () => {
  it('fail once each, and affect nothing else', async () => {
    const { cameras, urls, api } = await startWarm({ env: PATIENT_CALLS }, 5);
    const viewers = startViewers(() => urls, cameras);
    const cameraId = '0'.repeat(32);
    const askedAtMs = Date.now();
    const url = fleet.slow.camera('poisoned');
    const poison: Record<string, unknown> = {
      'no-payload': {},
      'no-object': 'what is this',
      nothing: null,
      'bad-types': { v: 1, cameraId: 7, url: ['a'], askedAtMs: 'yesterday' },
      'wrong-id': { v: 1, cameraId, url, askedAtMs },
      'no-url': { v: 1, cameraId, url: 'http://[', askedAtMs },
      'not-allowed': { v: 1, cameraId, url: 'http://169.254.169.254/', askedAtMs },
      huge: { v: 1, cameraId, url: `${url}&x=${'x'.repeat(5_000_000)}`, askedAtMs },
    };
    for (const [jobId, data] of Object.entries(poison)) await addByHand(jobId, data);

    for (const jobId of Object.keys(poison)) {
      await expect.poll(() => stateOf(jobId), { timeout: 30_000 }).toBe('failed');
    }
    await addSpoilt('spoilt');
    // BullMQ cannot read it, so it cannot fail it either: it ends as stalled after a minute.
    await expect.poll(() => stateOf('spoilt'), { timeout: 30_000 }).toBe('active');

    const recovered = await recoveryOfAll(api, cameras);
    const failures = fleet.workers[0]?.logs.filter(({ msg }) => msg === 'refresh job failed') ?? [];
    expect(failures.map(({ jobId }) => jobId).toSorted()).toEqual(Object.keys(poison).toSorted());
    printMeasurements('poison jobs', { recovered });
    const seen = await viewers.stop();
    expectServed(seen);
    expect(seen.oldestAgeS).toBeLessThan(PATIENT_LIFE_MS / 1000); // no permit was lost
    expect((await fleet.slow.calls()).filter(({ name }) => name === 'poisoned')).toEqual([]);
    await expectNothingLeft(PATIENT_LIFE_MS);
  });
});

async function startWarm(options: FleetOptions, count: number) {
  fleet = await startFleet({ intervalMs: INTERVAL_MS, env: SHORT_TIMES, ...options });
  const cameras = Array.from({ length: count }, (_, n) => fleet.slow.camera(`cam-${n}`));
  const urls = fleet.apis.map(({ url }) => url);
  await warmUp(urls, cameras);
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  return { cameras, urls, api };
}

/** Rolls with a surge of two: starts new processes first, then sends SIGTERM to the oldest. */
async function rollApis(count: number, balancers: readonly Balancer[]): Promise<void> {
  const ends: Promise<number | null>[] = [];
  const two = () => Promise.all([fleet.startApi(), fleet.startApi()]);
  let next = two();
  while (ends.length < count) {
    const youngest = await next;
    const oldest = fleet.apis.slice(ends.length, ends.length + 2);
    if (ends.length < count - 2) next = two();
    const shares = balancers.map((balancer) => Promise.all(youngest.map(balancer.addWhenReady)));
    await shares[0]; // the slower balancer still has others
    for (const api of oldest) {
      const forget = () => balancers.map((balancer) => balancer.remove(api));
      ends.push(api.end('SIGTERM').finally(forget));
    }
  }
  expect(await Promise.all(ends)).toEqual(ends.map(() => 0));
}

async function rollWorkers(count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    await fleet.startWorker();
    await callsInFlight(3);
    expect(await fleet.workers[round]?.end('SIGTERM')).toBe(0);
  }
}

/** Returns the recovery time of the slowest camera, in ms, without the machine's slowdown. */
async function recoveryOfAll(api: Api, cameras: readonly string[]): Promise<number> {
  const slowdown = await measureSlowdown([...fleet.apis, ...fleet.workers]);
  const all = await Promise.all(cameras.map((camera) => recoveryMs(fleet, api.url, camera)));
  return Math.max(...all) / busyFactor(await slowdown());
}

async function expectNothingLeft(lifeMs = PERMIT_LIFE_MS): Promise<void> {
  await expectPermitsEnd(fleet, lifeMs);
  await expectCleanEnd(fleet);
}

async function inFlight(): Promise<UpstreamCall[]> {
  return (await fleet.slow.calls()).filter(({ endMs }) => endMs === null);
}

async function callsInFlight(atLeast: number): Promise<void> {
  await expect
    .poll(async () => (await inFlight()).length, { timeout: 30_000, interval: 20 })
    .toBeGreaterThanOrEqual(atLeast);
}

/** Returns calls whose caller disconnected before the response. */
async function brokenCalls(): Promise<UpstreamCall[]> {
  return (await fleet.slow.calls()).filter(
    ({ status, endMs }) => status === null && endMs !== null,
  );
}

/** Returns those whose caller was killed; a worker that times out waits longer. */
async function cutOff(): Promise<UpstreamCall[]> {
  return (await brokenCalls()).filter(({ startMs, endMs }) => Number(endMs) - startMs < 1500);
}

/** Returns the time from each of these calls to the camera's next one, at most. */
async function gapsAfter(broken: readonly UpstreamCall[]): Promise<number[]> {
  const [calls, pauses] = await Promise.all([fleet.slow.calls(), fleet.slow.pauses()]);
  return broken.flatMap(({ url, number, startMs }) => {
    const next = calls.find((call) => call.url === url && call.number > number);
    return next ? [next.startMs - earliestTimeOf(startMs, pauses)] : [];
  });
}

/** Stops the processes for that long; the pause is the fault. */
async function pauseProcesses(children: readonly Child[], forMs: number) {
  for (const child of children) child.signal('SIGSTOP');
  for (const { pid } of children) {
    await expect.poll(() => isStopped(pid), { timeout: 20_000 }).toBe(true);
  }
  const noticedMs = 500; // by then the upstream has logged what was sent before
  await sleep(noticedMs);
  const before = (await fleet.slow.calls()).length;
  await sleep(forMs - noticedMs);
  const callsStarted = (await fleet.slow.calls()).length - before;
  for (const child of children) child.signal('SIGCONT');
  return { callsStarted };
}

async function exists(name: string): Promise<unknown> {
  return await fleet.redis.command('EXISTS', `${fleet.redisPrefix}:${name}`);
}

async function jobsWaiting(): Promise<number> {
  return (await fleet.redis.command('LLEN', `${fleet.redisPrefix}:refresh:wait`)) as number;
}

async function withQueue<T>(work: (queue: Queue) => Promise<T>): Promise<T> {
  const connection = createClient({ url: fleet.redis.url });
  await connection.connect();
  const queue = new Queue('refresh', { connection, prefix: fleet.redisPrefix });
  try {
    return await work(queue);
  } finally {
    await queue.close();
    connection.destroy();
  }
}

async function addByHand(jobId: string, data: unknown): Promise<void> {
  await withQueue((queue) => queue.add('by-hand', data, { jobId }));
}

async function stateOf(jobId: string): Promise<string> {
  return await withQueue(async (queue) => String(await queue.getJobState(jobId)));
}

/** Adds a job whose payload is not JSON, delayed so that no worker takes it before that is written. */
async function addSpoilt(jobId: string): Promise<void> {
  await withQueue(async (queue) => {
    const job = await queue.add('by-hand', {}, { jobId, delay: 3_600_000 });
    await fleet.redis.command('HSET', `${fleet.redisPrefix}:refresh:${jobId}`, 'data', '{no json');
    await job.promote();
  });
}
