import type { LabelsOf } from './metric-definitions.ts';
import type { Metrics } from './metrics.ts';
import type { RedisLink } from './redis-link.ts';

type Connection = LabelsOf<'lastframe_redis_connected'>['connection'];

/** Shows which connections to Redis are up, and how often each came back. */
export function watchRedisLinks(
  metrics: Metrics,
  links: Partial<Record<Connection, Pick<RedisLink, 'client' | 'isReady'>>>,
): void {
  const all = Object.entries(links) as [Connection, Pick<RedisLink, 'client' | 'isReady'>][];
  const readied = new Map<Connection, number>();
  for (const [connection, { client }] of all) {
    client.on('ready', () => readied.set(connection, (readied.get(connection) ?? 0) + 1));
  }
  metrics.read('lastframe_redis_connected', () =>
    all.map(([connection, { isReady }]) => ({ labels: { connection }, value: isReady ? 1 : 0 })),
  );
  metrics.read('lastframe_redis_reconnects_total', () =>
    all.map(([connection]) => ({
      labels: { connection },
      value: Math.max(0, (readied.get(connection) ?? 0) - 1),
    })),
  );
}
