import { afterEach, expect, it } from 'vitest';
import { expectCleanEnd } from '../../testing/checks/recovery.ts';
import {
  expectHoldOff,
  expectRecovery,
  expectServed,
  PERMIT_LIFE_MS,
  REPLICA_ALLOWANCE_MS,
  SHORT_TIMES,
  startAudience,
} from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';
import { PRIMARY_NAME, type Sentinels, startSentinels } from '../../testing/redis/sentinels.ts';

const HOLD_OFF_MS = PERMIT_LIFE_MS + REPLICA_ALLOWANCE_MS;
/**
 * The Sentinels notice after 1 s and elect, then the hold-off follows. A Sentinel that a busy
 * machine stops for two seconds enters TILT mode for 30 s.
 */
const RECOVERY_CEILING_MS = HOLD_OFF_MS + 25_000;

let servers: RedisServer[];
let sentinels: Sentinels;
let fleet: Fleet;

afterEach(async () => {
  await fleet?.checkAndStop();
  await sentinels?.stop();
  await Promise.all(servers.map((server) => server.stop()));
});

it('follows the Sentinels to a new primary when the old one dies, and calls no camera twice', async () => {
  const args = ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '2'];
  args.push('--repl-diskless-sync-delay', '0');
  const primary = await startRedis({ args });
  const replicaOf = ['--replicaof', `127.0.0.1 ${primary.port}`];
  const replicas = await Promise.all(
    [1, 2].map(() => startRedis({ args: [...args, ...replicaOf] })),
  );
  servers = [primary, ...replicas];
  sentinels = await startSentinels(primary, replicas.length);
  const redisUrl = `redis+sentinel://${sentinels.hosts}/${PRIMARY_NAME}`;
  fleet = await startFleet({ apis: 2, workers: 2, env: SHORT_TIMES, redis: primary, redisUrl });
  const audience = await startAudience(fleet);
  const callCount = async () => (await fleet.slow.calls()).length;
  await expect.poll(callCount, { timeout: 60_000 }).toBeGreaterThan(25);

  await primary.kill();
  const killedMs = performance.now();
  await expectRecovery(fleet, audience, RECOVERY_CEILING_MS);
  const tookMs = Math.round(performance.now() - killedMs);

  expect(await sentinels.primaryPort()).not.toBe(primary.port);
  await expectHoldOff(fleet, audience.cameras, HOLD_OFF_MS);
  expectServed(await audience.stop());
  const { pairs, smallestGapMs } = await fleet.check();
  console.log(`failover: calls again after ${tookMs} ms; ${pairs} gaps, least ${smallestGapMs} ms`);
  await expectCleanEnd(fleet);
});
