import type { Fleet } from '../../testing/fleet/fleet.ts';
import { cpuMs } from '../../testing/fleet/proc.ts';
import type { RedisServer } from '../../testing/redis/redis-server.ts';
import { metricsOf, metricTotal } from './metrics.ts';
import { numberAfter } from './number-after.ts';

/** What a fleet has used since its start. */
export interface Usage {
  apiMs: number;
  workerMs: number;
  /** The queue Redis; the frames Redis counts separately if there is one. */
  redisMs: number;
  framesRedisMs: number;
  /** Jobs added, including those that were already queued. */
  jobs: number;
  /** Jobs that the permit denied. */
  denied: number;
  /** Scripts run by the queue Redis. */
  scripts: number;
  /** Bytes into and out of the queue Redis. */
  inBytes: number;
  outBytes: number;
}

export async function readUsage(fleet: Fleet, framesRedis?: RedisServer): Promise<Usage> {
  const { redis, redisPrefix, apis, workers } = fleet;
  const info = String(await redis.command('INFO', 'everything'));
  return {
    apiMs: await cpuOf(apis),
    workerMs: await cpuOf(workers),
    redisMs: await cpuOf([redis]),
    framesRedisMs: await cpuOf(framesRedis ? [framesRedis] : []),
    // BullMQ counts every add here, even for jobs that are already queued.
    jobs: Number(await redis.command('GET', `${redisPrefix}:refresh:id`)),
    denied: metricTotal(await metricsOf(workers), 'lastframe_jobs_total', 'outcome="denied"'),
    scripts: numberAfter(info, 'cmdstat_evalsha:calls='),
    inBytes: numberAfter(info, 'total_net_input_bytes:'),
    outBytes: numberAfter(info, 'total_net_output_bytes:'),
  };
}

/** Returns what each refresh used. */
export function perRefresh(before: Usage, after: Usage, refreshes: number): Usage {
  const names = Object.keys(after) as (keyof Usage)[];
  const entries = names.map((name) => [name, (after[name] - before[name]) / refreshes]);
  return Object.fromEntries(entries) as Usage;
}

/** Returns NaN where there is no `/proc`. */
async function cpuOf(processes: readonly { pid: number }[]): Promise<number> {
  const used = processes.map(({ pid }) => cpuMs(pid).catch(() => Number.NaN));
  return (await Promise.all(used)).reduce((total, value) => total + value, 0);
}
