import { afterEach, describe, expect, it } from 'vitest';
import type { Child } from '../../testing/child.ts';
import { type Fleet, startFleet } from '../../testing/fleet.ts';
import { startRedis } from '../../testing/redis-server.ts';
import {
  expectHoldOff,
  expectNoFrameYet,
  expectNothingLeft,
  expectRecovery,
  expectServed,
  PATIENT_CALLS,
  PATIENT_LIFE_MS,
  SHORT_TIMES,
  startAudience,
} from '../../testing/short-faults.ts';
import { wrongClock } from '../../testing/wrong-clock.ts';

const HOUR_MS = 3_600_000;
/** The hold-off is longer than a busy machine is late, for there must not be two. */
const LONG_CALLS = { ...SHORT_TIMES, UPSTREAM_TIMEOUT: '8s' };
const HOLD_OFF_MS = 11_000;
/** Permits from before the step made two hold-offs of it once. */
const BUSY_MS = 7000;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

describe('clocks that step by an hour', () => {
  it.each([
    ['forward', HOUR_MS],
    ['back', -HOUR_MS],
  ])("Redis's own, %s: a hold-off, and no camera is lost for an hour", async (_, stepMs) => {
    const clock = await wrongClock();
    const redis = await startRedis({ env: clock.env });
    fleet = await startFleet({ apis: 2, workers: 2, env: LONG_CALLS, redis });
    const audience = await startAudience(fleet);

    clock.offBy(stepMs);

    const [seconds] = (await redis.command('TIME')) as [string];
    expect(Number(seconds) * 1000 - Date.now()).toBeCloseTo(stepMs, -4);
    await Promise.all([
      expectNoFrameYet(audience.api, fleet.slow.camera('cold')),
      expectRecovery(fleet, audience, HOLD_OFF_MS + 2000, BUSY_MS),
    ]);
    await expectHoldOff(fleet, audience.cameras, HOLD_OFF_MS);
    const seen = await audience.stop();
    expectServed(seen);
    expect(seen.oldestAgeS).toBeLessThan((HOLD_OFF_MS + 2000 + BUSY_MS) / 1000);
    await expectNothingLeft(fleet, HOLD_OFF_MS);
  });

  it("the pods', apart and while they run: nobody notices, and the cameras are called on time", async () => {
    fleet = await startFleet({ apis: 0, workers: 0, env: PATIENT_CALLS });
    const [ahead, behind] = await Promise.all([wrongClock(HOUR_MS), wrongClock(-HOUR_MS)]);
    await fleet.startWorker({ ADOPT_REDIS: 'true', ...ahead.env });
    await fleet.startWorker(behind.env);
    await Promise.all([fleet.startApi(ahead.env), fleet.startApi(behind.env)]);
    const audience = await startAudience(fleet);

    expect(fleet.workers.map(hoursOff)).toEqual([1, -1]);
    expect(fleet.apis.map(hoursOff).sort()).toEqual([-1, 1]);
    await expectRecovery(fleet, audience, 3000);
    ahead.offBy(-HOUR_MS);
    behind.offBy(HOUR_MS);
    await expectRecovery(fleet, audience, 3000);
    await expectRecovery(fleet, audience, 3000);

    const seen = await audience.stop();
    expectServed(seen);
    expect(seen.oldestAgeS).toBeLessThan(14); // no hold-off, which lasts 16 s
    await expectNothingLeft(fleet, PATIENT_LIFE_MS);
  });
});

/** By how many hours a process's own clock was off when it began to listen. */
function hoursOff({ listening }: Child): number {
  return Math.round((Date.parse(String(listening.time)) - Date.now()) / HOUR_MS);
}
