import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  expectCleanFinish,
  expectNoFrameYet,
  expectRecovery,
  expectServed,
  expectSilence,
  infoOf,
  SHORT_TIMES,
  startAudience,
} from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';

/** Once there is room again: one poll of worker and api (a second each), and a permit. */
const RECOVERY_CEILING_MS = 6000;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

describe('Redis accepts no writes: no camera is called, and viewers are served from memory', () => {
  it('out of memory, until it is freed', async () => {
    fleet = await startFleet({
      apis: 2,
      workers: 2,
      env: SHORT_TIMES,
      redis: await startRedis({ args: ['--maxmemory-policy', 'noeviction'] }),
    });
    const audience = await startAudience(fleet);

    await writeMore(fleet.redis, 8 * 1024 * 1024);
    await fleet.redis.command('CONFIG', 'SET', 'maxmemory', '8mb');
    await expect(fleet.redis.command('SET', 'proof', '1')).rejects.toThrow('OOM');
    await expectSilence(fleet);
    await expectNoFrameYet(audience.api, fleet.slow.camera('cold'));
    await expectMadeUpRefused(fleet);
    await expectRefusedButConnected(fleet, 'OOM');

    await fleet.redis.command('DEL', 'filler');
    await expectRecovery(fleet, audience, RECOVERY_CEILING_MS);
    expectServed(await audience.stop());
    await expectCleanFinish(fleet);
  });

  it('out of disk, until there is room', async () => {
    // A limit on file sizes acts like a full disk and needs no root: writes beyond it fail.
    const limited = `trap '' XFSZ; ulimit -S -f 1024; exec "$@"`;
    const redis = await startRedis({
      args: ['--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'],
      launcher: ['bash', '-c', limited, 'bash'],
    });
    fleet = await startFleet({ apis: 2, workers: 2, env: SHORT_TIMES, redis });
    const audience = await startAudience(fleet);

    await writeMore(redis, 1024 * 1024);
    await vi.waitFor(
      () => expect(redis.command('SET', 'proof', '1')).rejects.toThrow('MISCONF'),
      10_000,
    );
    expect(await infoOf(redis, 'aof_last_write_status')).toBe('err');
    await expectSilence(fleet);
    await expectNoFrameYet(audience.api, fleet.slow.camera('cold'));
    await expectMadeUpRefused(fleet);
    await expectRefusedButConnected(fleet, 'MISCONF');

    execFileSync('prlimit', ['--fsize=unlimited', '--pid', String(redis.pid)]);
    await vi.waitFor(
      async () => expect(await redis.command('SET', 'proof', '2')).toBe('OK'),
      20_000,
    );
    await expectRecovery(fleet, audience, RECOVERY_CEILING_MS);
    expectServed(await audience.stop());
    await expectCleanFinish(fleet);
  });
});

/** Grows its memory and its append-only file by at least this much. */
async function writeMore(redis: RedisServer, bytes: number): Promise<void> {
  await redis.command('SET', 'filler', 'x'.repeat(bytes));
}

/** Expects requests for many new cameras to be rejected, and none of them to be called. */
async function expectMadeUpRefused({ apis: [api], slow }: Fleet): Promise<void> {
  const cameras = Array.from({ length: 100 }, (_, n) => slow.camera(`made-up-${n}`));
  const headers = { Prefer: 'respond-async' };
  const answers = await Promise.all(cameras.map((camera) => api?.image(camera, { headers })));
  expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([503]));
  const called = (await slow.calls()).filter(({ name }) => name.startsWith('made-up-'));
  expect(called).toEqual([]);
}

/** Expects workers to be unready and say why, but no connection to be dropped: Redis does reply. */
async function expectRefusedButConnected({ apis, workers }: Fleet, reason: string): Promise<void> {
  const ready = async () => {
    const answers = await Promise.all(workers.map(({ opsUrl }) => fetch(`${opsUrl}/readyz`)));
    return await Promise.all(
      answers.map(async (answer) => `${answer.status} ${await answer.text()}`),
    );
  };
  const refused = expect.stringMatching(new RegExp(`^503 .*${reason}`));
  await expect.poll(ready, { timeout: 10_000 }).toEqual(workers.map(() => refused));
  const losses = () =>
    [...apis, ...workers].flatMap(({ logs }) => logs.filter(({ msg }) => msg === 'redis lost'));
  // A busy machine may lose one for another reason; this fault would cost one a second.
  await vi.waitFor(
    async () => {
      const before = losses().length;
      await pause(3000);
      expect(losses()).toHaveLength(before);
    },
    { timeout: 30_000 },
  );
}
