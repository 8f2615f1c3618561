import { permitLifeMs } from '@lastframe/shared/cameras/spacing';
import { systemClock } from '@lastframe/shared/process/clock';
import { holdOffBeganMs } from '@lastframe/shared/redis/epoch';
import { describe, expect, inject, it } from 'vitest';
import { ownRedis } from '../../../testing/redis/test-redis.ts';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { openBench } from '../test-support/permit-bench.ts';
import { expectDenied, expectGranted, wordOf } from '../test-support/permit-word.ts';

const url = inject('redisUrl');

describe('an unfit queue Redis', () => {
  it.each(['volatile-lru', 'volatile-ttl', 'allkeys-lru'])(
    'S9: grants nothing with %s',
    async (policy) => {
      const server = await ownRedis('--maxmemory-policy', policy);
      const { permits, monitor, client, keys } = await openBench(server.url, {
        takesJobs: () => true,
      });
      expect(monitor.whyUnfit()).toContain(policy);
      expect(wordOf(await permits.take(testCamera()))).toContain('unknown');
      expect(await client.exists(keys.workerAlive)).toBe(0);
      await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
      await monitor.poll();
      expectGranted(await permits.take(testCamera()));
    },
  );

  it('S3: grants nothing with replicas and no min-replicas-to-write', async () => {
    const server = await ownRedis();
    const replica = await ownRedis();
    const { permits, monitor } = await openBench(server.url);
    await replica.command('REPLICAOF', '127.0.0.1', String(server.port));
    await expect
      .poll(
        async () => {
          await monitor.poll();
          return monitor.whyUnfit();
        },
        { timeout: 10_000 },
      )
      .toContain('min-replicas-to-write');
    expect(wordOf(await permits.take(testCamera()))).toContain('unknown');
  });

  it('grants nothing when it is a replica', async () => {
    const server = await ownRedis();
    await server.command('REPLICAOF', '127.0.0.1', '1');
    const { permits, monitor } = await openBench(server.url);
    expect(monitor.whyUnfit()).toBeDefined();
    expect(wordOf(await permits.take(testCamera()))).toContain('unknown');
  });

  it('grants nothing when it became a replica since the last poll', async () => {
    const server = await ownRedis();
    // Otherwise the link may have noticed already, and dropped the connection.
    const { permits } = await openBench(server.url, { anyRole: true });
    await server.command('REPLICAOF', '127.0.0.1', '1');
    expect(wordOf(await permits.take(testCamera()))).toMatch(/unknown: .*(READONLY|UNKILLABLE)/);
  });

  it('S3: denies with NOREPLICAS and leaves nothing behind', async () => {
    const server = await ownRedis();
    const { permits, client, keys } = await openBench(server.url);
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    const camera = testCamera();
    expect(wordOf(await permits.take(camera))).toMatch(/unknown: .*NOREPLICAS/);
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
    expect(await client.exists(keys.permit(camera.cameraId))).toBe(0);
    expectGranted(await permits.take(camera));
  });

  it('L14: denies with OOM and leaves nothing behind; a finish still works', async () => {
    const server = await ownRedis();
    const { permits, client, keys } = await openBench(server.url);
    const running = expectGranted(await permits.take(testCamera()));
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    const source = testSource({ budget: { perSecond: 1, concurrency: 1 } });
    const camera = testCamera(undefined, source);
    expect(wordOf(await permits.take(camera))).toMatch(/unknown: .*OOM/);
    expect(await permits.finish(running, { verdict: 'fail', restMs: 1000 })).toBe(1000);
    expect(await client.pTTL(keys.permit(running.camera.cameraId))).toBeLessThanOrEqual(1000);
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    expectGranted(await permits.take(camera));
  });
});

describe('a worker', () => {
  it('L9: is alive only while it takes jobs', async () => {
    let takesJobs = false;
    const { monitor, client, keys } = await openBench(url, { takesJobs: () => takesJobs });
    expect(await client.exists(keys.workerAlive)).toBe(0);
    takesJobs = true;
    await monitor.poll();
    expect(await client.pTTL(keys.workerAlive)).toBeGreaterThan(0);
    takesJobs = false;
    await client.del(keys.workerAlive);
    await monitor.poll();
    expect(await client.exists(keys.workerAlive)).toBe(0);
  });

  it("knows Redis's time", async () => {
    const { monitor } = await openBench(url);
    expect(Math.abs((monitor.nowMs() ?? 0) - Date.now())).toBeLessThan(1000);
  });

  it("S4: begins a hold-off when Redis's clock steps, and only then trusts it again", async () => {
    let steppedMs = 0;
    // To a worker whose own clock falls back, Redis's clock steps forward.
    const clock = { ...systemClock, monoMs: () => systemClock.monoMs() - steppedMs };
    const { permits, monitor, client, keys } = await openBench(url, { clock });
    expectGranted(await permits.take(testCamera()));
    const before = await client.get(keys.epoch);
    steppedMs = 10_000;
    const camera = testCamera();
    expect(wordOf(await permits.take(camera))).toBe("unknown: Redis's clock cannot be trusted");
    await expect.poll(() => monitor.whyUnfit()).toBeUndefined();
    // The api processes read this record, so that job ids change with it.
    expect(holdOffBeganMs(before)).toBe(0);
    expect(holdOffBeganMs(await client.get(keys.epoch))).toBeGreaterThan(Date.now() - 60_000);
    const { reason, waitMs } = expectDenied(await permits.take(testCamera()));
    expect(reason).toBe('hold');
    expect(waitMs).toBeGreaterThan(permitLifeMs(camera.source) - 5000);
    // The grant in the doubtful reply is released.
    await expect.poll(() => client.exists(keys.permit(camera.cameraId))).toBe(0);
  });
});
