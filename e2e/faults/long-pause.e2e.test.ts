import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { type Fleet, startFleet, type Worker } from '../../testing/fleet.ts';
import { isStopped } from '../../testing/proc.ts';
import { expectCleanEnd, expectPermitsEnd, recoveryMs } from '../../testing/recovery.ts';
import { report } from '../../testing/report.ts';
import { expectServed, LIFE_MS, SHORT_TIMES } from '../../testing/short-faults.ts';
import { startViewers, warmUp } from '../../testing/viewers.ts';

/** BullMQ takes a job for stalled when its lock of 30 s is gone, and looks every 30 s. */
const PAUSE_MS = 65_000;
const INTERVAL_MS = 500;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

it('a worker is stopped in mid-call for longer than its jobs are locked: they run again elsewhere, and what it finishes late harms nobody', async () => {
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
    other.logs.filter(({ msg }) => msg === 'refresh job stalled; it runs again');
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

  report('a pause of 65 s', {
    stalled: stalled().length,
    rerun: rerun().map(({ outcome }) => outcome),
    callsOfTheOther: meanwhile.length,
    recovered: Math.max(...recovered),
  });
  // The other one called on: each camera most of the time, but for one life of a spent permit.
  for (const camera of cameras) {
    expect(meanwhile.filter(({ url }) => url === camera).length).toBeGreaterThan(30);
  }
  expect(Math.max(...recovered)).toBeLessThan(20_000);
  // No frame went back to what the stopped worker held in its hands.
  for (const [n, { latestMs }] of after.entries()) {
    expect(latestMs).toBeGreaterThanOrEqual(before[n]?.earliestMs ?? 0);
  }
  const seen = await viewers.stop();
  expectServed(seen);
  expect(seen.oldestAgeS).toBeLessThan(LIFE_MS / 1000 + 10);
  await expectPermitsEnd(fleet, LIFE_MS);
  await expectCleanEnd(fleet);
});

/** Calls are in flight at two workers: until it is this one that holds some of their jobs. */
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
    await sleep(5 * INTERVAL_MS); // the other one's are done by then
    const still = await activeJobs();
    if (held.some((job) => still.includes(job))) return;
    worker.signal('SIGCONT');
  }
}

/** Between when and when the frames that are served were captured: Age is in whole seconds. */
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
