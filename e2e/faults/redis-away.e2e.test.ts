import { afterEach, describe, expect, it } from 'vitest';
import {
  expectCleanFinish,
  expectNoFrameYet,
  expectRecovery,
  expectServed,
  PERMIT_LIFE_MS,
  SHORT_TIMES,
  startAudience,
} from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import type { RedisServer } from '../../testing/redis/redis-server.ts';
import { warmUp } from '../../testing/viewers/viewers.ts';

let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

describe('Redis is down', () => {
  it('on startup: api and worker start anyway, and serve without a restart once it is up', async () => {
    fleet = await startFleet({ apis: 0, workers: 0, env: SHORT_TIMES });
    await fleet.redis.kill();
    await expect(fleet.redis.command('PING')).rejects.toThrow('ECONNREFUSED');

    const workerReady = fleet.startWorker();
    workerReady.catch(() => {}); // awaited below
    const api = await fleet.startApi();
    const camera = fleet.slow.camera('asked-early');
    expect((await fetch(`${api.opsUrl}/readyz`)).status).toBe(200);
    await expectNoFrameYet(api, camera);

    await fleet.redis.start();
    const worker = await workerReady;
    await warmUp([api.url], [camera], PERMIT_LIFE_MS + 30_000);
    for (const { logs } of [api, worker]) {
      const messages = logs.map(({ msg }) => msg);
      expect(messages.indexOf('redis connected')).toBeGreaterThan(messages.indexOf('listening'));
    }
    await expectRecovery(fleet, { api, cameras: [camera] }, 3000);
    await expectCleanFinish(fleet);
  });
});

describe('announcements are lost', () => {
  it('with their connections, repeatedly: frames come a little later, and none is missed', async () => {
    fleet = await startFleet({ apis: 3, workers: 1, env: SHORT_TIMES });
    const audience = await startAudience(fleet);

    for (let round = 0; round < 3; round += 1) {
      await expect
        .poll(async () => (await subscriberIds(fleet.redis)).length, { timeout: 20_000 })
        .toBe(fleet.apis.length);
      const before = await subscriberIds(fleet.redis);
      expect(await fleet.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBe(before.length);
      // One more interval, and a second after resubscribing.
      await expectRecovery(fleet, audience, 500 + 1000);
      await expect
        .poll(async () => (await subscriberIds(fleet.redis)).length, { timeout: 20_000 })
        .toBe(before.length);
      const after = await subscriberIds(fleet.redis);
      expect(after.filter((id) => before.includes(id))).toEqual([]);
    }
    expectServed(await audience.stop());
    await expectCleanFinish(fleet);
  });
});

/** Returns the ids of the connections with subscriptions. */
async function subscriberIds(redis: RedisServer): Promise<(string | undefined)[]> {
  const list = String(await redis.command('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  const lines = list.split('\n').filter((line) => line.startsWith('id='));
  return lines.map((line) => line.split(' ')[0]);
}
