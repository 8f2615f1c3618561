import type { LabelsOf } from './metric-definitions.ts';
import type { Metrics } from './metrics.ts';

type Connection = LabelsOf<'lastframe_redis_connected'>['connection'];

export interface RedisMetrics {
  /** A link was lost and is there again. */
  reconnected(name: string): void;
  /** Shows these from now on. */
  show(links: Partial<Record<Connection, { readonly isReady: boolean }>>): void;
}

/** Which connections to Redis are up, and how often each came back. */
export function createRedisMetrics(metrics: Metrics): RedisMetrics {
  const times = new Map<string, number>();
  return {
    reconnected: (name) => times.set(name, (times.get(name) ?? 0) + 1),
    show: (links) => {
      const all = Object.entries(links) as [Connection, { readonly isReady: boolean }][];
      metrics.read('lastframe_redis_connected', () =>
        all.map(([connection, { isReady }]) => ({
          labels: { connection },
          value: isReady ? 1 : 0,
        })),
      );
      metrics.read('lastframe_redis_reconnects_total', () =>
        all.map(([connection]) => ({ labels: { connection }, value: times.get(connection) ?? 0 })),
      );
    },
  };
}
