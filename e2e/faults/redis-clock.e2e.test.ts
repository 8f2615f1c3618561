import { afterEach, describe, expect, it } from 'vitest';
import {
  expectCleanFinish,
  expectHoldOff,
  expectNoFrameYet,
  expectRecovery,
  expectServed,
  PATIENT_CALLS,
  PATIENT_LIFE_MS,
  SHORT_TIMES,
  startAudience,
} from '../../testing/checks/short-faults.ts';
import type { Child } from '../../testing/fleet/child.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { wrongClock } from '../../testing/fleet/wrong-clock.ts';
import { startRedis } from '../../testing/redis/redis-server.ts';

const HOUR_MS = 3_600_000;
/** A hold-off longer than any delay of a busy machine, so that there is only one. */
const LONG_CALLS = { ...SHORT_TIMES, UPSTREAM_TIMEOUT: '8s' };
const HOLD_OFF_MS = 11_000;
/** Slack for a busy machine: permits from before the step have caused a second hold-off. */
const BUSY_MS = 7000;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

describe('clocks that step by an hour', () => {
  it.each([
    ['forward', HOUR_MS],
    ['back', -HOUR_MS],
  ])("Redis's clock, %s: one hold-off, and no camera is lost for an hour", async (_, stepMs) => {
    const clock = await wrongClock();
    const redis = await startRedis({ env: clock.env });
    fleet = await startFleet({ apis: 2, workers: 2, env: LONG_CALLS, redis });
    const audience = await startAudience(fleet);

    clock.setOffset(stepMs);

    const [seconds] = (await redis.command('TIME')) as [string];
    expect(Number(seconds) * 1000 - Date.now()).toBeCloseTo(stepMs, -4);
    await Promise.all([
      expectNoFrameYet(audience.api, fleet.slow.camera('cold')),
      expectRecovery(fleet, audience, HOLD_OFF_MS + 2000),
    ]);
    await expectHoldOff(fleet, audience.cameras, HOLD_OFF_MS);
    const seen = await audience.stop();
    expectServed(seen);
    expect(seen.oldestAgeS).toBeLessThan((HOLD_OFF_MS + 2000 + BUSY_MS) / 1000);
    await expectCleanFinish(fleet, HOLD_OFF_MS);
  });

  it('pod clocks, on startup and while running: no effect, and cameras are called on time', async () => {
    fleet = await startFleet({ apis: 0, workers: 0, env: PATIENT_CALLS });
    const [ahead, behind] = await Promise.all([wrongClock(HOUR_MS), wrongClock(-HOUR_MS)]);
    await fleet.startWorker({ ADOPT_REDIS: 'true', ...ahead.env });
    await fleet.startWorker(behind.env);
    await Promise.all([fleet.startApi(ahead.env), fleet.startApi(behind.env)]);
    const audience = await startAudience(fleet);

    expect(fleet.workers.map(hoursOff)).toEqual([1, -1]);
    expect(fleet.apis.map(hoursOff).sort()).toEqual([-1, 1]);
    await expectRecovery(fleet, audience, 3000);
    ahead.setOffset(-HOUR_MS);
    behind.setOffset(HOUR_MS);
    await expectRecovery(fleet, audience, 3000);
    await expectRecovery(fleet, audience, 3000);

    const seen = await audience.stop();
    expectServed(seen);
    expect(seen.oldestAgeS).toBeLessThan(14); // no hold-off, which would last 16 s
    await expectCleanFinish(fleet, PATIENT_LIFE_MS);
  });
});

/** Returns by how many hours a process's clock was off when it started listening. */
function hoursOff({ listening }: Child): number {
  return Math.round((Date.parse(String(listening.time)) - Date.now()) / HOUR_MS);
}
