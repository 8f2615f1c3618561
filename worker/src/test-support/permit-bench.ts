import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '@lastframe/shared/process/clock';
import { type Keys, keysFor } from '@lastframe/shared/redis/keys';
import type { RedisClient, RedisLink } from '@lastframe/shared/redis/redis-link';
import { testLink } from '../../../testing/redis/test-redis.ts';
import { createPermits, type Permits } from '../permit/permits.ts';
import { createRedisMonitor, type RedisMonitor } from '../permit/redis-monitor.ts';
import { silentLog } from './cameras.ts';

/** One worker's side of the permit protocol, on a real Redis. */
export interface PermitBench {
  permits: Permits;
  monitor: RedisMonitor;
  keys: Keys;
  link: RedisLink;
  /** Ids of the cameras whose turn was announced. */
  turns: string[];
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
  const link = testLink(url, { pingDeadlineMs, anyRole });
  const redis = { run: options.wrapRun?.(link.run) ?? link.run };
  const keys = keysFor(prefix);
  const parts = { clock, redis, keys, log: silentLog };
  const monitor = createRedisMonitor({ ...parts, maxReplicaLagMs: 10_000, adopt, takesJobs });
  const turns: string[] = [];
  const onTurn = (cameraId: string) => void turns.push(cameraId);
  const permits = createPermits({ clock, redis, monitor, keys, replicaLagMs, onTurn });
  await link.ready(10_000);
  await monitor.poll();
  // A slow machine must not suspend all permits.
  for (let n = 0; n < 5 && /did not respond within/.test(monitor.whyUnfit() ?? ''); n += 1) {
    await monitor.poll();
  }
  return { permits, monitor, keys, link, turns, client: link.client };
}
