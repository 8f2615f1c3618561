import { randomUUID } from 'node:crypto';
import { permitLifeMs } from '@lastframe/shared/cameras/spacing';
import { systemClock } from '@lastframe/shared/process/clock';
import { describe, expect, inject, it } from 'vitest';
import type { RedisServer } from '../../../testing/redis/redis-server.ts';
import { ownRedis } from '../../../testing/redis/test-redis.ts';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { openBench, type PermitBench } from '../test-support/permit-bench.ts';
import { expectDenied, expectGranted, wordOf } from '../test-support/permit-word.ts';
import { createPermits } from './permits.ts';

const url = inject('redisUrl');
const LAG_MS = 12_000;

/** Takes a permit for a new camera, which only a hold-off can deny. */
const takeNew = ({ permits }: PermitBench, source = testSource()) =>
  permits.take(testCamera(undefined, source));

/** Returns the hold-off of a source with the usual times. */
async function heldMs(bench: PermitBench): Promise<number> {
  const denial = expectDenied(await takeNew(bench));
  expect(denial.reason).toBe('hold');
  return denial.waitMs;
}

const LIFE_MS = permitLifeMs(testSource());
const SLOW_MACHINE_MS = 5000;

function expectWholeHoldOff(waitMs: number, lagMs = 0): void {
  expect(waitMs).toBeLessThanOrEqual(LIFE_MS + lagMs);
  expect(waitMs).toBeGreaterThan(LIFE_MS + lagMs - SLOW_MACHINE_MS);
}

async function untilFit(bench: PermitBench): Promise<void> {
  await expect
    .poll(
      async () => {
        await bench.monitor.poll();
        return bench.monitor.whyUnfit();
      },
      { timeout: 10_000 },
    )
    .toBeUndefined();
}

it('the hold-off that is shown is the one that denies permits', async () => {
  const bench = await openBench(url, { adopt: false });
  const waitMs = await heldMs(bench);
  const shownMs = bench.monitor.holdOffMs(LIFE_MS, LAG_MS);
  expect(shownMs).toBeLessThanOrEqual(waitMs + SLOW_MACHINE_MS);
  expect(shownMs).toBeGreaterThan(waitMs - SLOW_MACHINE_MS);
  const adopted = await openBench(url);
  expect(adopted.monitor.holdOffMs(LIFE_MS, LAG_MS)).toBe(0);
});

describe('a hold-off', () => {
  it('S1: begins with a missing record and lasts as long as a permit can live', async () => {
    const bench = await openBench(url, { adopt: false });
    expectWholeHoldOff(await heldMs(bench));
  });

  it('L1: lasts for each source as long as its own permits, and then ends', async () => {
    const openedMs = performance.now();
    const bench = await openBench(url, { adopt: false });
    const quick = testSource({ intervalMs: 50, timeoutMs: 1, startAllowanceMs: 2000 });
    const rare = testSource({ intervalMs: 3_600_000 });
    expect(expectDenied(await takeNew(bench, rare)).waitMs).toBeGreaterThan(3_500_000);
    const startMs = performance.now();
    const { reason, waitMs } = expectDenied(await takeNew(bench, quick));
    expect(reason).toBe('hold');
    expect(waitMs).toBeLessThanOrEqual(permitLifeMs(quick));
    // Less the time between the record and this take.
    expect(waitMs).toBeGreaterThan(permitLifeMs(quick) - (performance.now() - openedMs) - 2);
    await expect
      .poll(async () => wordOf(await takeNew(bench, quick)), { interval: 20, timeout: 15_000 })
      .toBe('granted');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(waitMs - 2);
    expect(wordOf(await takeNew(bench, rare))).toBe('hold');
  });

  it('L1: does not make a worker unready', async () => {
    const bench = await openBench(url, { adopt: false });
    expect(bench.monitor.whyUnfit()).toBeUndefined();
  });

  it('does not restart when a worker joins', async () => {
    const prefix = `test-${randomUUID()}`;
    expectGranted(await takeNew(await openBench(url, { prefix })));
    expectGranted(await takeNew(await openBench(url, { prefix, adopt: false })));
  });

  it('begins with a record from the future', async () => {
    const bench = await openBench(url);
    const [id] = String(await bench.client.get(bench.keys.epoch)).split(' ');
    await bench.client.set(bench.keys.epoch, `${id} ${Date.now() + 3_600_000}`);
    expectWholeHoldOff(await heldMs(bench));
  });

  it('begins with an unreadable record', async () => {
    const bench = await openBench(url);
    await bench.client.set(bench.keys.epoch, 'x');
    expectWholeHoldOff(await heldMs(bench));
  });

  it('S1: begins with FLUSHALL, even for connected workers', async () => {
    const server = await ownRedis();
    const bench = await openBench(server.url);
    expectGranted(await takeNew(bench));
    await server.command('FLUSHALL');
    expectWholeHoldOff(await heldMs(bench));
  });

  it('S1: a call that lost its permit to FLUSHALL restores nothing when it ends', async () => {
    const server = await ownRedis();
    const bench = await openBench(server.url);
    const permit = expectGranted(await takeNew(bench));
    await server.command('FLUSHALL');
    expect(await bench.permits.finish(permit, { verdict: 'ok', restMs: 5000 })).toBe(0);
    expect(await bench.client.exists(bench.keys.permit(permit.camera.cameraId))).toBe(0);
  });

  it('begins with a restart, even if the data survived', async () => {
    const server = await ownRedis();
    const bench = await openBench(server.url);
    const { camera } = expectGranted(await takeNew(bench));
    await server.kill();
    await server.start();
    await untilFit(bench);
    expect(await bench.client.exists(bench.keys.permit(camera.cameraId))).toBe(1);
    expectWholeHoldOff(await heldMs(bench));
  });
});

describe('ADOPT_REDIS', () => {
  it('skips the hold-off of a first start', async () => {
    expectGranted(await takeNew(await openBench(url)));
  });

  it('skips it after a restart of everything, too', async () => {
    const server = await ownRedis();
    const prefix = 'test';
    await openBench(server.url, { prefix });
    await server.kill();
    await server.start();
    expectGranted(await takeNew(await openBench(server.url, { prefix })));
  });

  it('adopts once: data lost afterwards starts a hold-off', async () => {
    const server = await ownRedis();
    const bench = await openBench(server.url);
    expectGranted(await takeNew(bench));
    await server.command('FLUSHALL');
    await bench.monitor.poll();
    expectWholeHoldOff(await heldMs(bench));
  });

  it('does not end a hold-off that another worker began', async () => {
    const prefix = `test-${randomUUID()}`;
    await heldMs(await openBench(url, { prefix, adopt: false }));
    await heldMs(await openBench(url, { prefix }));
  });
});

describe('a promotion', () => {
  it('S2: of a replica in sync begins a hold-off, longer by the replica lag', async () => {
    const { replica, prefix } = await pair();
    await replica.command('REPLICAOF', 'NO', 'ONE');
    const bench = await openBench(replica.url, { prefix, adopt: false, replicaLagMs: LAG_MS });
    expectWholeHoldOff(await heldMs(bench), LAG_MS);
  });

  it('S2: of a former primary that could not sync begins one, even with its own record', async () => {
    const server = await ownRedis();
    const prefix = 'test';
    expectGranted(await takeNew(await openBench(server.url, { prefix })));
    await server.command('REPLICAOF', '127.0.0.1', '1');
    await server.command('REPLICAOF', 'NO', 'ONE');
    const bench = await openBench(server.url, { prefix, adopt: false, replicaLagMs: LAG_MS });
    expectWholeHoldOff(await heldMs(bench), LAG_MS);
  });

  it('S2: a writable replica is another Redis, even with the same record and replication id', async () => {
    const { replica, prefix } = await pair('--replica-read-only', 'no');
    const { link, keys } = await openBench(replica.url, { prefix, adopt: false });
    // As between two polls: the monitor has not noticed yet.
    const monitor = { whyUnfit: () => undefined, accept: () => true };
    const redis = { clock: systemClock, redis: link, keys };
    const permits = createPermits({ ...redis, monitor, replicaLagMs: 0, onTurn: () => {} });
    await expect
      .poll(async () => wordOf(await permits.take(testCamera())), { timeout: 10_000 })
      .toBe('hold');
  });

  it('S3: still counts the replica lag after a restart of the new primary', async () => {
    const { primary, replica, prefix } = await pair();
    await replica.command('REPLICAOF', 'NO', 'ONE');
    await openBench(replica.url, { prefix, adopt: false, replicaLagMs: LAG_MS });
    await primary.kill();
    await replica.kill();
    await replica.start();
    const bench = await openBench(replica.url, { prefix, adopt: false, replicaLagMs: LAG_MS });
    expectWholeHoldOff(await heldMs(bench), LAG_MS);
  });

  it('S3: counts it when a replica starts as a primary, without REPLICAOF', async () => {
    const { primary, replica, prefix } = await pair();
    await primary.command('WAIT', '1', '5000');
    await replica.kill();
    await replica.start();
    const bench = await openBench(replica.url, { prefix, adopt: false, replicaLagMs: LAG_MS });
    expectWholeHoldOff(await heldMs(bench), LAG_MS);
  });

  it('S3: does not count the lag without replicas', async () => {
    const bench = await openBench(url, { adopt: false, replicaLagMs: LAG_MS });
    expectWholeHoldOff(await heldMs(bench));
  });

  it('S3: the first replica to attach begins a hold-off, longer by the lag', async () => {
    const server = await ownRedis();
    const bench = await openBench(server.url, { replicaLagMs: LAG_MS });
    expectGranted(await takeNew(bench));
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await attach(await ownRedis(), server);
    await untilFit(bench);
    expectWholeHoldOff(await heldMs(bench), LAG_MS);
  });
});

/** A primary and a replica in sync, and a record written while they were. */
async function pair(...replicaOptions: string[]) {
  const primary = await ownRedis('--min-replicas-to-write', '1');
  const replica = await ownRedis(...replicaOptions);
  await attach(replica, primary);
  const prefix = 'test';
  const bench = await openBench(primary.url, { prefix, replicaLagMs: LAG_MS });
  await untilFit(bench);
  expectGranted(await takeNew(bench));
  const record = await bench.client.get(bench.keys.epoch);
  await expect.poll(() => replica.command('GET', bench.keys.epoch)).toBe(record);
  return { primary, replica, prefix };
}

async function attach(replica: RedisServer, primary: RedisServer): Promise<void> {
  await replica.command('REPLICAOF', '127.0.0.1', String(primary.port));
  await expect
    .poll(
      async () => {
        const info = String(await primary.command('INFO', 'replication'));
        return info.includes('state=online') && !info.includes('min_slaves_good_slaves:0');
      },
      { timeout: 10_000 },
    )
    .toBe(true);
  await expect
    .poll(() => replica.command('INFO', 'replication'), { timeout: 10_000 })
    .toContain('master_link_status:up');
  // After the sync it rewrites its append-only file; killed before, it would start empty.
  await expect
    .poll(() => replica.command('INFO', 'persistence'), { timeout: 10_000 })
    .toMatch(
      /aof_rewrite_in_progress:0\s[\s\S]*aof_rewrite_scheduled:0\s[\s\S]*aof_last_rewrite_time_sec:\d/,
    );
}
