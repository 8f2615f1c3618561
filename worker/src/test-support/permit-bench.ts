import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '@lastframe/shared/process/clock';
import { type Keys, keysFor } from '@lastframe/shared/redis/keys';
import { openRedis, type RedisClient, type RedisLink } from '@lastframe/shared/redis/redis-link';
import { expect, onTestFinished } from 'vitest';
import type {} from '../../../testing/redis/redis-for-tests.ts';
import { type RedisServer, startRedis } from '../../../testing/redis/redis-server.ts';
import { createPermits, type Permits } from '../permit/permits.ts';
import { createRedisMonitor, type RedisMonitor } from '../permit/redis-monitor.ts';
import { silentLog } from './cameras.ts';

/** One worker's side of the permit protocol, on a real Redis. */
export interface PermitBench {
  permits: Permits;
  monitor: RedisMonitor;
  keys: Keys;
  link: RedisLink;
  client: RedisClient;
}

export interface BenchOptions {
  prefix?: string;
  /** Off in tests of the hold-off. */
  adopt?: boolean;
  clock?: Clock;
  replicaLagMs?: number;
  pingDeadlineMs?: number;
  /** Keeps the connection when its Redis becomes a replica. */
  anyRole?: boolean;
  takesJobs?: () => boolean;
  /** Wraps the commands from the worker to Redis. */
  wrapRun?: (run: RedisLink['run']) => RedisLink['run'];
}

/** Opens a bench that is ready to take permits, until the test ends. */
export async function openBench(url: string, options: BenchOptions = {}): Promise<PermitBench> {
  const { prefix = `test-${randomUUID()}`, adopt = true, clock = systemClock } = options;
  const { replicaLagMs = 0, pingDeadlineMs = 1000, takesJobs = () => false } = options;
  const { anyRole = false } = options;
  const link = openRedis({ url, name: 'test', log: silentLog, pingDeadlineMs, anyRole });
  onTestFinished(() => link.close());
  const redis = { run: options.wrapRun?.(link.run) ?? link.run };
  const keys = keysFor(prefix);
  const monitor = createRedisMonitor({
    clock,
    redis,
    keys,
    log: silentLog,
    maxReplicaLagMs: 10_000,
    adopt,
    takesJobs,
  });
  const permits = createPermits({ clock, redis, monitor, keys, replicaLagMs });
  await untilReady(link);
  await monitor.poll();
  // A slow machine must not suspend all permits.
  for (let n = 0; n < 5 && /did not respond within/.test(monitor.whyUnfit() ?? ''); n += 1) {
    await monitor.poll();
  }
  return { permits, monitor, keys, link, client: link.client };
}

/** Starts the test's own server, which it may restart, flush or stop. */
export async function ownRedis(...args: string[]): Promise<RedisServer> {
  const server = await startRedis({ args });
  onTestFinished(() => server.stop());
  return server;
}

export async function untilReady(link: RedisLink): Promise<void> {
  await expect.poll(() => link.isReady, { timeout: 10_000 }).toBe(true);
}
