/**
 * Returns why a queue Redis cannot keep the guarantee, judging by its INFO; undefined if it can.
 * @param info the sections memory and replication
 * @param lag its min-replicas-max-lag, if known, and the most that the hold-off allows for
 */
export function whyUnfit(
  info: string,
  lag: { setMs: number | undefined; allowedMs: number },
): string | undefined {
  const policy = fieldOf(info, 'maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    return `the queue Redis has maxmemory-policy ${policy} and may evict permits; set noeviction`;
  }
  if (fieldOf(info, 'role') === 'slave')
    return 'the queue Redis is a replica; set REDIS_URL to the primary';
  const replicas = Number(fieldOf(info, 'connected_slaves') ?? 0);
  if (replicas > 0 && fieldOf(info, 'min_slaves_good_slaves') === undefined) {
    return 'the queue Redis has replicas without min-replicas-to-write; set it to 1, and min-replicas-max-lag to at most MAX_REPLICA_LAG';
  }
  if (replicas > 0 && (lag.setMs ?? 0) > lag.allowedMs) {
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
  if (fieldOf(info, 'aof_enabled') !== '0' || save !== '') return undefined;
  return 'the queue Redis keeps nothing on disk: a restart loses jobs, back-offs and budgets; set appendonly yes';
}

export function hasReplicas(info: string): boolean {
  return Number(fieldOf(info, 'connected_slaves') ?? 0) > 0;
}

export function fieldOf(info: string, name: string): string | undefined {
  const line = info.split('\n').find((text) => text.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trimEnd();
}
