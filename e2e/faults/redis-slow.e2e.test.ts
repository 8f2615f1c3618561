import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  expectCleanFinish,
  expectNoFrameYet,
  expectRecovery,
  expectServed,
  expectSilence,
  SHORT_TIMES,
  startAudience,
} from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { startRedis } from '../../testing/redis/redis-server.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/redis/tcp-proxy.ts';

const FROZEN_MS = 2000;
/** At once, as documented: a reconnect, a poll of worker and api (a second each), and slack. */
const RECOVERY_CEILING_MS = 6000;
/** Life of a permit that is not released: far longer than a recovery may take. */
const LONG_LIFE_MS = 25_000;
const SHORT_ALLOWANCE_MS = 500;
let fleet: Fleet;
let proxy: TcpProxy | undefined;

afterEach(async () => {
  await fleet.checkAndStop();
  await proxy?.close();
  proxy = undefined;
});

describe('Redis replies late or not at all: viewers of known cameras notice nothing', () => {
  it('frozen for four intervals', async () => {
    fleet = await startFleet({ apis: 2, workers: 2, env: SHORT_TIMES });
    const audience = await startAudience(fleet);

    fleet.redis.signal('SIGSTOP');
    const cold = expectNoFrameYet(audience.api, fleet.slow.camera('cold'));
    await expectFrozen(fleet);
    await cold;

    fleet.redis.signal('SIGCONT');
    await expectRecovery(fleet, audience, RECOVERY_CEILING_MS);
    expectServed(await audience.stop());
    await expectCleanFinish(fleet);
  });

  it('with every reply two seconds late', async () => {
    const redis = await startRedis();
    proxy = await startTcpProxy(redis.port);
    const redisUrl = `redis://127.0.0.1:${proxy.port}`;
    fleet = await startFleet({ apis: 2, workers: 2, env: SHORT_TIMES, redis, redisUrl });
    const audience = await startAudience(fleet);

    proxy.delay(2000);
    await expectNoFrameYet(audience.api, fleet.slow.camera('cold'));
    const areLost = () => fleet.apis.every(({ logs }) => logs.some(isLoss));
    await expect.poll(areLost, { timeout: 20_000 }).toBe(true);
    await expectNoFrameYet(audience.api, fleet.slow.camera('colder'));

    proxy.heal();
    await expectRecovery(fleet, audience, RECOVERY_CEILING_MS);
    expectServed(await audience.stop());
    await expectCleanFinish(fleet);
  });

  it('with permits granted too late: they are released, and block no camera for their whole life', async () => {
    const env = { ...SHORT_TIMES, START_ALLOWANCE: `${SHORT_ALLOWANCE_MS}ms` };
    // Fewer jobs than a worker can fetch with the delay: it fetches all before it runs the first.
    fleet = await startFleet({ apis: 0, workers: 0, intervalMs: 1000, env });
    proxy = await startTcpProxy(fleet.redis.port);
    await fleet.startWorker({
      ADOPT_REDIS: 'true',
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
      UPSTREAM_TIMEOUT: `${LONG_LIFE_MS - SHORT_ALLOWANCE_MS - 2000}ms`,
    });
    await fleet.startApi();
    const audience = await startAudience(fleet, 1);

    // Longer than a call may take to start, but well below the second after which a connection is
    // dropped.
    proxy.delay(SHORT_ALLOWANCE_MS + 150);
    await expectSilence(fleet);
    const permits = () => fleet.redis.command('KEYS', '*:permit:*');
    await expect.poll(permits, { timeout: 60_000, interval: 20 }).toEqual([]);
    await expect.poll(permits, { timeout: 60_000, interval: 20 }).not.toEqual([]);

    proxy.heal();
    await expectRecovery(fleet, audience, RECOVERY_CEILING_MS);
    expectServed(await audience.stop());
    await expectCleanFinish(fleet, LONG_LIFE_MS);
  });
});

function isLoss({ reason }: Fleet['apis'][number]['logs'][number]): boolean {
  return /no reply to HELLO|Socket timeout/.test(String(reason));
}

/** Expects no reply while the freeze lasts; the commands pile up behind it. */
async function expectFrozen({ redis }: Fleet): Promise<void> {
  const onReply = vi.fn();
  const ping = redis.command('PING').then(onReply);
  ping.catch(() => {});
  await pause(FROZEN_MS); // the fault itself
  expect(onReply).not.toHaveBeenCalled();
}
