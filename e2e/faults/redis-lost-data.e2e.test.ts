import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Audience,
  expectCleanFinish,
  expectHoldOff,
  expectNoFrameYet,
  expectRecovery,
  expectServed,
  infoOf,
  PERMIT_LIFE_MS,
  SHORT_TIMES,
  startAudience,
} from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { warmUp } from '../../testing/viewers/viewers.ts';

/** The documented hold-off and two seconds, plus three for a busy machine. */
const RECOVERY_CEILING_MS = PERMIT_LIFE_MS + 2000 + 3000;
/** A request made during a hold-off, even a little late, gives up before it ends. */
const SHORT_WAIT = { ...SHORT_TIMES, COLD_WAIT: '1s' };
let fleet: Fleet;
let audience: Audience;
let runId: string | undefined;

beforeEach(async () => {
  fleet = await startFleet({ apis: 2, workers: 2, env: SHORT_WAIT });
  audience = await startAudience(fleet);
  runId = await infoOf(fleet.redis, 'run_id');
  await fleet.redis.command('SET', 'proof', 'kept');
});

afterEach(async () => {
  await fleet.checkAndStop();
});

describe('Redis loses its state: viewers are served from memory, and no camera is called before a hold-off', () => {
  it('on a restart with its data', async () => {
    await fleet.redis.kill('SIGTERM');
    await expectNoFrameYet(audience.api, fleet.slow.camera('asked-while-away'));
    await fleet.redis.start();

    expect(await infoOf(fleet.redis, 'run_id')).not.toBe(runId);
    expect(await fleet.redis.command('GET', 'proof')).toBe('kept');
    await expectAllWell();
  });

  it('on a restart without its data', async () => {
    await fleet.redis.kill();
    await fleet.redis.wipe();
    await fleet.redis.start();

    expect(await infoOf(fleet.redis, 'run_id')).not.toBe(runId);
    expect(await fleet.redis.command('GET', 'proof')).toBeNull();
    await expectAllWell();
  });

  it('on a FLUSHALL that keeps all connections', async () => {
    await fleet.redis.command('FLUSHALL');

    expect(await infoOf(fleet.redis, 'run_id')).toBe(runId);
    expect(await fleet.redis.command('GET', 'proof')).toBeNull();
    await expectAllWell();
  });
});

async function expectAllWell(): Promise<void> {
  const cold = fleet.slow.camera('asked-in-hold-off');
  await Promise.all([
    expectNoFrameYet(audience.api, cold),
    expectRecovery(fleet, audience, RECOVERY_CEILING_MS),
  ]);
  await expectHoldOff(fleet, audience.cameras);
  expectServed(await audience.stop());
  await warmUp([audience.api.url], [cold]);
  await expectCleanFinish(fleet);
}
