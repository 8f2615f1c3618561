import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  expectCleanFinish,
  expectHoldOff,
  expectNoFrameYet,
  expectRecovery,
  expectServed,
  infoOf,
  PERMIT_LIFE_MS,
  REPLICA_ALLOWANCE_MS,
  SHORT_TIMES,
  startAudience,
} from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { freePort, type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/redis/tcp-proxy.ts';

const HOLD_OFF_MS = PERMIT_LIFE_MS + REPLICA_ALLOWANCE_MS;
/** The documented hold-off and five seconds, plus three for a busy machine. */
const RECOVERY_CEILING_MS = HOLD_OFF_MS + 5000 + 3000;

let first: RedisServer;
let second: RedisServer;
/** The address of Redis for the fleet: it leads to the primary, as a service name does. */
let address: TcpProxy;
let fleet: Fleet;

beforeEach(async () => {
  const args = ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '2'];
  args.push('--repl-diskless-sync-delay', '0');
  [first, second] = await Promise.all([startRedis({ args }), startRedis({ args })]);
  await replicateFrom(second, first.port);
  await expectReplica(first);
  address = await startTcpProxy(first.port);
});

afterEach(async () => {
  await fleet.checkAndStop();
  await Promise.all([first.stop(), second.stop(), address.close()]);
});

describe('Redis fails over', () => {
  it('to a replica while the old primary turns READONLY, then back to it although it never synced', async () => {
    fleet = await startFleet({ apis: 2, workers: 2, env: SHORT_TIMES, ...atAddress(first) });
    const audience = await startAudience(fleet);
    const [runId, replId] = [await infoOf(first, 'run_id'), await infoOf(second, 'master_replid')];

    await second.command('CONFIG', 'SET', 'min-replicas-to-write', '0'); // it has no replica
    await promote(second);
    await replicateFrom(first, await freePort()); // no primary to sync from
    // The address changes last: until then, new connections reach a replica too.
    await vi.waitFor(
      () => fleet.workers.map(({ logs }) => expect(messagesOf(logs)).toContain(NOTICED)),
      { timeout: 20_000 },
    );
    address.switchTo(second.port);

    expect(await infoOf(second, 'role')).toBe('master');
    expect(await infoOf(second, 'master_replid')).not.toBe(replId);
    expect(await refusalOf(first)).toContain('READONLY');
    await Promise.all([
      expectNoFrameYet(audience.api, fleet.slow.camera('cold')),
      expectRecovery(fleet, audience, RECOVERY_CEILING_MS),
    ]);
    await expectHoldOff(fleet, audience.cameras, HOLD_OFF_MS);
    const calls = (await fleet.slow.calls()).length;

    await second.kill();
    await first.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await promote(first); // its permits and identity are long out of date
    address.switchTo(first.port);

    expect(await infoOf(first, 'run_id')).toBe(runId);
    expect(await infoOf(first, 'role')).toBe('master');
    await expectRecovery(fleet, audience, RECOVERY_CEILING_MS);
    await expectHoldOff(fleet, audience.cameras, HOLD_OFF_MS, calls);
    expectServed(await audience.stop());
    await expectCleanFinish(fleet);
  });

  it('with two primaries at once: half of the fleet stays with the old one until it refuses writes', async () => {
    const replicaLink = await startTcpProxy(first.port);
    await replicateFrom(second, replicaLink.port);
    await expectReplica(first);
    const secondAddress = await startTcpProxy(first.port);
    fleet = await startFleet({ apis: 1, workers: 1, env: SHORT_TIMES, ...atAddress(first) });
    const env = { REDIS_URL: `redis://127.0.0.1:${secondAddress.port}` };
    const [, api] = await Promise.all([fleet.startWorker(env), fleet.startApi(env)]);
    const audience = await startAudience(fleet);

    replicaLink.blackHole(); // the old primary still has its replica, as far as it knows
    await second.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await promote(second);
    secondAddress.switchTo(second.port);
    secondAddress.drop();

    expect(await infoOf(first, 'role')).toBe('master');
    expect(await infoOf(second, 'role')).toBe('master');
    await expect.poll(() => refusalOf(first), { timeout: 20_000 }).toContain('NOREPLICAS');
    await expectRecovery({ ...fleet, apis: [api] }, { ...audience, api }, RECOVERY_CEILING_MS);

    await second.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await replicateFrom(first, second.port);
    address.switchTo(second.port);
    await expectRecovery(fleet, audience, 5000);
    expectServed(await audience.stop());
    await expectCleanFinish({ ...fleet, redis: second });
    await Promise.all([replicaLink.close(), secondAddress.close()]);
  });
});

async function refusalOf(redis: RedisServer): Promise<string> {
  return String(await redis.command('SET', 'proof', '1').catch((error) => error));
}

const NOTICED = 'redis is a replica; reconnecting';

function messagesOf(logs: Fleet['workers'][number]['logs']): unknown[] {
  return logs.map(({ msg }) => msg);
}

function atAddress(redis: RedisServer): { redis: RedisServer; redisUrl: string } {
  return { redis, redisUrl: `redis://127.0.0.1:${address.port}` };
}

async function expectReplica(primary: RedisServer): Promise<void> {
  const goodReplicas = () => infoOf(primary, 'min_slaves_good_slaves');
  await expect.poll(goodReplicas, { timeout: 20_000 }).toBe('1');
}

async function promote(redis: RedisServer): Promise<void> {
  await redis.command('REPLICAOF', 'NO', 'ONE');
}

async function replicateFrom(redis: RedisServer, port: number): Promise<void> {
  await redis.command('REPLICAOF', '127.0.0.1', String(port));
}
