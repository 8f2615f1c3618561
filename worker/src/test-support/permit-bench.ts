import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '@lastframe/shared/process/clock';
import { type Keys, keysFor } from '@lastframe/shared/redis/keys';
import { openRedis, type RedisClient, type RedisLink } from '@lastframe/shared/redis/redis-link';
import { expect, onTestFinished } from 'vitest';
import type {} from '../../../testing/redis-for-tests.ts';
import { type RedisServer, startRedis } from '../../../testing/redis-server.ts';
import { createPermits, type Permits } from '../permit/permits.ts';
import { createRedisMonitor, type RedisMonitor } from '../permit/redis-monitor.ts';
import { silentLog } from './cameras.ts';

/** What one worker has of the permit protocol, on a real Redis. */
export interface PermitBench {
  permits: Permits;
  watch: RedisMonitor;
  keys: Keys;
  link: RedisLink;
  client: RedisClient;
}

export interface BenchOptions {
  prefix?: string;
  /** Off: the hold-off is what the test is about. */
  adopt?: boolean;
  clock?: Clock;
  replicaLagMs?: number;
  pingDeadlineMs?: number;
  /** The connection stays when its Redis becomes a replica. */
  anyRole?: boolean;
  takesJobs?: () => boolean;
  /** Between the worker and Redis. */
  wire?: (run: RedisLink['run']) => RedisLink['run'];
}

/** Ready to take permits; closed when the test ends. */
export async function openBench(url: string, options: BenchOptions = {}): Promise<PermitBench> {
  const { prefix = `test-${randomUUID()}`, adopt = true, clock = systemClock } = options;
  const { replicaLagMs = 0, pingDeadlineMs = 1000, takesJobs = () => false } = options;
  const { anyRole = false } = options;
  const link = openRedis({ url, name: 'test', log: silentLog, pingDeadlineMs, anyRole });
  onTestFinished(() => link.close());
  const redis = { run: options.wire?.(link.run) ?? link.run };
  const keys = keysFor(prefix);
  const watch = createRedisMonitor({
    clock,
    redis,
    keys,
    log: silentLog,
    maxReplicaLagMs: 10_000,
    adopt,
    takesJobs,
  });
  const permits = createPermits({ clock, redis, watch, keys, replicaLagMs });
  await ready(link);
  await watch.poll();
  // A slow machine is no reason to refuse all permits.
  for (let n = 0; n < 5 && /did not answer within/.test(watch.whyUnfit() ?? ''); n += 1) {
    await watch.poll();
  }
  return { permits, watch, keys, link, client: link.client };
}

/** A server of the test's own, which may be restarted, flushed or stopped. */
export async function ownRedis(...args: string[]): Promise<RedisServer> {
  const server = await startRedis({ args });
  onTestFinished(() => server.stop());
  return server;
}

export async function ready(link: RedisLink): Promise<void> {
  await expect.poll(() => link.isReady, { timeout: 10_000 }).toBe(true);
}
