import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { printMeasurements } from '../../testing/checks/report.ts';
import { busyFactor, PATIENT_CALLS } from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet, type Worker } from '../../testing/fleet/fleet.ts';
import { isStopped } from '../../testing/fleet/proc.ts';
import { startViewers, warmUp } from '../../testing/viewers/viewers.ts';

const INTERVAL_MS = 1000;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

const cameraUrls = (count: number, name = 'cam', query: Record<string, string> = {}) =>
  Array.from({ length: count }, (_, n) => fleet.slow.camera(`${name}-${n}`, query));

const apiUrls = () => fleet.apis.map(({ url }) => url);

/** Returns how many of a worker's jobs, or of its calls, had each outcome. */
async function outcomesOf(worker: Worker, metric: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${worker.opsUrl}/metrics`)).text();
  const counts: Record<string, number> = {};
  for (const [, outcome = '', count] of text.matchAll(
    new RegExp(`^${metric}\\{.*outcome="([\\w ]+)".*\\} (\\d+)$`, 'gm'),
  ))
    counts[outcome] = (counts[outcome] ?? 0) + Number(count);
  return counts;
}

it('a worker that is stopped again and again blames no camera for it', async () => {
  const [delayMs, pauseMs] = [300, 3000];
  const env = { UPSTREAM_TIMEOUT: '2s', START_ALLOWANCE: '1s' };
  fleet = await startFleet({ intervalMs: INTERVAL_MS, delayMs, env });
  const [worker] = fleet.workers;
  if (!worker) throw new Error('a worker was started');
  const cameras = cameraUrls(40);
  await warmUp(apiUrls(), cameras);
  const viewers = startViewers(apiUrls, cameras, { viewers: 8, pauseMs: 20 });

  for (let round = 0; round < 4; round += 1) {
    await expect
      .poll(async () => (await fleet.slow.calls()).filter(({ endMs }) => endMs === null).length, {
        timeout: 30_000,
        interval: 5,
      })
      .toBeGreaterThan(0);
    worker.signal('SIGSTOP');
    await expect.poll(() => isStopped(worker.pid), { timeout: 20_000 }).toBe(true);
    await sleep(pauseMs); // the fault: longer than the calls may take
    worker.signal('SIGCONT');
  }

  const seen = await viewers.stop();
  const jobs = await outcomesOf(worker, 'lastframe_jobs_total');
  const calls = await outcomesOf(worker, 'lastframe_upstream_calls_total');
  printMeasurements('a worker with pauses', { jobs, calls });
  expect(seen.failures).toEqual([]);
  expect(jobs.captured).toBeGreaterThan(0);
  const failing = worker.logs.filter(({ msg }) => msg === 'camera failing');
  expect(failing.map(({ reason }) => reason)).toEqual([]);
  expect([calls.timeout, calls.failed]).toEqual([0, 0]);
});

it('a second worker takes its share as soon as it runs', async () => {
  const env = { ...PATIENT_CALLS, CONCURRENCY: '10' };
  fleet = await startFleet({ intervalMs: INTERVAL_MS, delayMs: 1000, env });
  const cameras = cameraUrls(60);
  const viewers = startViewers(apiUrls, cameras, { viewers: 12, pauseMs: 20 });
  const callsOf = async (worker: Worker | undefined) => {
    if (!worker) throw new Error('no such worker');
    const { captured = 0 } = await outcomesOf(worker, 'lastframe_jobs_total');
    return captured;
  };
  await expect.poll(() => callsOf(fleet.workers[0]), { timeout: 60_000 }).toBeGreaterThan(30);
  const second = await fleet.startWorker();
  // How long a process takes to start does not matter here.
  await expect.poll(() => callsOf(second), { timeout: 60_000 }).toBeGreaterThan(0);
  const before = await Promise.all([callsOf(fleet.workers[0]), callsOf(second)]);
  await expect.poll(() => callsOf(second), { timeout: 60_000 }).toBeGreaterThan(40);
  const after = await Promise.all([callsOf(fleet.workers[0]), callsOf(second)]);
  const [first = 0, own = 0] = after.map((count, n) => count - (before[n] ?? 0));
  printMeasurements('a second worker', { first, second: own });
  // Both have ten calls at once; which begins first is chance.
  expect(own).toBeGreaterThan(first / 2);
  await viewers.stop();
});

it('a flood of new cameras of a slow source delays neither another source nor cameras that are watched', async () => {
  const [floodSeconds, perSecond, clients] = [15, 60, 40];
  const [callMs, slowCallMs] = [300, 4000];
  fleet = await startFleet({
    apis: 2,
    intervalMs: INTERVAL_MS,
    delayMs: callMs,
    env: {
      ...PATIENT_CALLS,
      COLD_WAIT: '3s',
      CONCURRENCY: '40',
      TRUSTED_PROXIES: '127.0.0.0/8',
      ALLOWED_SOURCES: 'http://127.0.0.1:*/*,http://localhost:*/*',
    },
  });
  const slow = { delay: `${slowCallMs}ms` };
  const [other] = cameraUrls(1, 'other').map((url) => url.replace('127.0.0.1', 'localhost'));
  const [same] = cameraUrls(1, 'same', slow);
  if (!other || !same) throw new Error('two cameras were made');
  for (const camera of [other, same])
    await expect
      .poll(async () => (await fleet.apis[0]?.image(camera))?.status, { timeout: 60_000 })
      .toBe(200);
  const watching = [other, same].map((camera) =>
    startViewers(apiUrls, [camera], { viewers: 2, pauseMs: 100 }),
  );

  const statuses = new Map<number, number>();
  const open: Promise<void>[] = [];
  const request = async (n: number) => {
    const base = apiUrls()[n % 2];
    const camera = encodeURIComponent(fleet.slow.camera(`made-up-${n}`, slow));
    const headers = { 'X-Forwarded-For': `10.0.0.${n % clients}` };
    const { status, headers: got } = await fetch(`${base}/images?url=${camera}`, { headers });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status === 503) expect(Number(got.get('retry-after'))).toBeGreaterThan(0);
  };
  for (let n = 0; n < floodSeconds * perSecond; n += 1) {
    open.push(request(n));
    await sleep(1000 / perSecond); // the pace of the flood
  }
  const [otherSeen, sameSeen] = await Promise.all(watching.map((viewers) => viewers.stop()));
  await Promise.all(open);
  const waiting = await fleet.redis.command('LLEN', `${fleet.redisPrefix}:refresh:wait`);
  const ages = { other: otherSeen?.oldestAgeS, same: sameSeen?.oldestAgeS };
  printMeasurements('a flood of new cameras', {
    ...ages,
    waiting,
    ...Object.fromEntries(statuses),
  });

  const slack = busyFactor(Math.max(otherSeen?.slowdown ?? 1, sameSeen?.slowdown ?? 1));
  expect([otherSeen?.failures, sameSeen?.failures]).toEqual([[], []]);
  expect(ages.other).toBeLessThanOrEqual(((INTERVAL_MS + callMs + 2000) / 1000) * slack);
  expect(ages.same).toBeLessThanOrEqual(((2 * (INTERVAL_MS + slowCallMs + 2000)) / 1000) * slack);
  expect(waiting).toBeLessThan(200); // they wait in the api, where those that nobody wants drop out
  expect([...statuses.keys()].every((status) => status === 200 || status === 503)).toBe(true);
});
