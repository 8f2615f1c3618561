import { infoField } from '@lastframe/shared/redis/redis-info';

/**
 * Returns why a queue Redis cannot keep the guarantee, judging by its INFO; undefined if it can.
 * @param info the sections memory and replication
 * @param lag its min-replicas-max-lag, if known, and the most that the hold-off allows for
 */
export function whyUnfit(
  info: string,
  lag: { setMs: number | undefined; allowedMs: number },
): string | undefined {
  const policy = infoField(info, 'maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    return `the queue Redis has maxmemory-policy ${policy} and may evict permits; set noeviction`;
  }
  if (infoField(info, 'role') === 'slave')
    return 'the queue Redis is a replica; set REDIS_URL to the primary';
  if (hasReplicas(info) && infoField(info, 'min_slaves_good_slaves') === undefined) {
    return 'the queue Redis has replicas without min-replicas-to-write; set it to 1, and min-replicas-max-lag to at most MAX_REPLICA_LAG';
  }
  if (hasReplicas(info) && (lag.setMs ?? 0) > lag.allowedMs) {
    return `the queue Redis has min-replicas-max-lag ${(lag.setMs ?? 0) / 1000} s, and MAX_REPLICA_LAG is ${lag.allowedMs / 1000} s; set them equal`;
  }
  return undefined;
}

/**
 * Returns a warning if a queue Redis keeps nothing on disk. It is safe: a restart starts a hold-off
 * anyway.
 * @param info the section persistence
 * @param save its setting of that name, if known
 */
export function persistenceWarning(info: string, save: string | undefined): string | undefined {
  if (infoField(info, 'aof_enabled') !== '0' || save !== '') return undefined;
  return 'the queue Redis keeps nothing on disk: a restart loses jobs, back-offs and budgets; set appendonly yes';
}

export function hasReplicas(info: string): boolean {
  return Number(infoField(info, 'connected_slaves') ?? 0) > 0;
}
