import { afterEach, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../testing/fleet.ts';
import type { RedisServer } from '../../testing/redis-server.ts';
import {
  expectNoFrameYet,
  expectNothingLeft,
  expectRecovery,
  expectServed,
  LIFE_MS,
  SHORT_TIMES,
  startAudience,
} from '../../testing/short-faults.ts';
import { warmUp } from '../../testing/viewers.ts';

let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

describe('Redis is not there', () => {
  it('at the start of api and worker: both start, and serve without a restart once it is there', async () => {
    fleet = await startFleet({ apis: 0, workers: 0, env: SHORT_TIMES });
    await fleet.redis.kill();
    await expect(fleet.redis.command('PING')).rejects.toThrow('ECONNREFUSED');

    const workerReady = fleet.startWorker();
    workerReady.catch(() => {}); // heard below
    const api = await fleet.startApi();
    const camera = fleet.slow.camera('asked-early');
    expect((await fetch(`${api.opsUrl}/readyz`)).status).toBe(200);
    await expectNoFrameYet(api, camera);

    await fleet.redis.start();
    const worker = await workerReady;
    await warmUp([api.url], [camera], LIFE_MS + 30_000);
    for (const { logs } of [api, worker]) {
      const said = logs.map(({ msg }) => msg);
      expect(said.indexOf('redis connected')).toBeGreaterThan(said.indexOf('listening'));
    }
    await expectRecovery(fleet, { api, cameras: [camera] }, 3000);
    await expectNothingLeft(fleet);
  });
});

describe('announcements are lost', () => {
  it('with their connections, again and again: frames come a little later, and are not missed', async () => {
    fleet = await startFleet({ apis: 3, workers: 1, env: SHORT_TIMES });
    const audience = await startAudience(fleet);

    for (let round = 0; round < 3; round += 1) {
      await expect
        .poll(async () => (await listeners(fleet.redis)).length, { timeout: 20_000 })
        .toBe(fleet.apis.length);
      const before = await listeners(fleet.redis);
      expect(await fleet.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBe(before.length);
      // An interval more, and a second after they subscribed again.
      await expectRecovery(fleet, audience, 500 + 1000);
      await expect
        .poll(async () => (await listeners(fleet.redis)).length, { timeout: 20_000 })
        .toBe(before.length);
      const after = await listeners(fleet.redis);
      expect(after.filter((id) => before.includes(id))).toEqual([]);
    }
    expectServed(await audience.stop());
    await expectNothingLeft(fleet);
  });
});

/** The ids of the connections that are subscribed to anything. */
async function listeners(redis: RedisServer): Promise<(string | undefined)[]> {
  const list = String(await redis.command('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  const lines = list.split('\n').filter((line) => line.startsWith('id='));
  return lines.map((line) => line.split(' ')[0]);
}
