import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { expectCleanEnd, expectPermitsEnd, recoveryMs } from '../../testing/checks/recovery.ts';
import { printMeasurements } from '../../testing/checks/report.ts';
import { expectServed, PERMIT_LIFE_MS, SHORT_TIMES } from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet, type Worker } from '../../testing/fleet/fleet.ts';
import { isStopped } from '../../testing/fleet/proc.ts';
import { startViewers, warmUp } from '../../testing/viewers/viewers.ts';

/** BullMQ considers a job stalled once its lock of 30 s has expired, and checks every 30 s. */
const PAUSE_MS = 65_000;
const INTERVAL_MS = 500;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

it('a worker stopped in mid-call for longer than its jobs are locked does no harm: they run again elsewhere, and its late results are ignored', async () => {
  const env = { ...SHORT_TIMES, LOG_LEVEL: 'debug' };
  fleet = await startFleet({ workers: 2, delayMs: 300, intervalMs: INTERVAL_MS, env });
  const cameras = Array.from({ length: 8 }, (_, n) => fleet.slow.camera(`cam-${n}`));
  const [api] = fleet.apis;
  const [stopped, other] = fleet.workers;
  if (!api || !stopped || !other) throw new Error('an api and two workers were started');
  await warmUp([api.url], cameras);
  const viewers = startViewers(() => [api.url], cameras);

  await stopInMidCall(stopped);
  const stoppedAt = (await fleet.slow.calls()).length;
  await sleep(PAUSE_MS); // the fault

  const stalled = () =>
    other.logs.filter(({ msg }) => msg === 'refresh job stalled; running it again');
  const rerun = () =>
    other.logs.filter(({ msg, jobId }) => {
      return msg === 'refresh' && stalled().some((job) => job.jobId === jobId);
    });
  await expect.poll(() => rerun().length, { timeout: 30_000 }).toBeGreaterThan(0);
  const before = await capturesOf(api.url, cameras);
  stopped.signal('SIGCONT');
  const meanwhile = (await fleet.slow.calls()).slice(stoppedAt);
  const recovered = await Promise.all(cameras.map((camera) => recoveryMs(fleet, api.url, camera)));
  const after = await capturesOf(api.url, cameras);

  printMeasurements('a pause of 65 s', {
    stalled: stalled().length,
    rerun: rerun().map(({ outcome }) => outcome),
    callsOfTheOther: meanwhile.length,
    recovered: Math.max(...recovered),
  });
  // The other worker kept calling each camera, except for one life of a spent permit.
  for (const camera of cameras) {
    expect(meanwhile.filter(({ url }) => url === camera).length).toBeGreaterThan(30);
  }
  expect(Math.max(...recovered)).toBeLessThan(20_000);
  // No camera went back to a frame of the stopped worker.
  for (const [n, { latestMs }] of after.entries()) {
    expect(latestMs).toBeGreaterThanOrEqual(before[n]?.earliestMs ?? 0);
  }
  const seen = await viewers.stop();
  expectServed(seen);
  expect(seen.oldestAgeS).toBeLessThan(PERMIT_LIFE_MS / 1000 + 10);
  await expectPermitsEnd(fleet, PERMIT_LIFE_MS);
  await expectCleanEnd(fleet);
});

/** Stops the worker while it holds some of the jobs in flight, which may take several tries. */
async function stopInMidCall(worker: Worker): Promise<void> {
  const inFlight = async () =>
    (await fleet.slow.calls()).filter(({ endMs }) => endMs === null).length;
  const activeJobs = async () => {
    const list = `${fleet.redisPrefix}:refresh:active`;
    return (await fleet.redis.command('LRANGE', list, '0', '-1')) as string[];
  };
  for (;;) {
    await expect.poll(inFlight, { timeout: 30_000, interval: 5 }).toBeGreaterThanOrEqual(4);
    worker.signal('SIGSTOP');
    await expect.poll(() => isStopped(worker.pid), { timeout: 20_000 }).toBe(true);
    const held = await activeJobs();
    await sleep(5 * INTERVAL_MS); // the other worker's are done by then
    const still = await activeJobs();
    if (held.some((job) => still.includes(job))) return;
    worker.signal('SIGCONT');
  }
}

/** Returns the bounds of when each served frame was captured: Age is in whole seconds. */
async function capturesOf(base: string, cameras: readonly string[]) {
  return await Promise.all(
    cameras.map(async (camera) => {
      const askedMs = performance.now();
      const answer = await fetch(`${base}/images?url=${encodeURIComponent(camera)}`);
      await answer.arrayBuffer();
      const ageMs = Number(answer.headers.get('age')) * 1000;
      return { earliestMs: askedMs - ageMs - 1000, latestMs: performance.now() - ageMs };
    }),
  );
}
