import { setTimeout as sleep } from 'node:timers/promises';
import { RedisUnavailableError } from '../../process/errors.ts';
import type { RedisEndpoint } from '../../settings/redis-url.ts';
import {
  openRedis,
  type RedisClient,
  type RedisLink,
  type RedisLinkOptions,
} from '../redis-link.ts';
import type { RedisTls } from '../redis-tls.ts';
import { type Owners, watchTopology } from './cluster-topology.ts';
import { type Shard, shardOf } from './shard.ts';

/**
 * The frames Redis: one server, or the nodes of a Cluster. A `RedisLink` is one too, and ignores
 * `cameraId`.
 */
export interface FramesRedis {
  /**
   * Like `RedisLink.run`, on the node that owns the camera's frame.
   * @throws RedisUnavailableError
   */
  run<T>(
    deadlineMs: number,
    command: (client: RedisClient) => Promise<T>,
    cameraId: string,
  ): Promise<T>;
  /** True if every node is connected. */
  readonly isReady: boolean;
  ready(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface RedisShardsOptions extends Omit<RedisLinkOptions, 'url'> {
  tls: RedisTls;
  onMode: (mode: string) => void;
  /** Called with each new link to a node and its shards, which never change. */
  onLink?: ((link: RedisLink, shards: readonly Shard[]) => void) | undefined;
}

/**
 * Opens a link to each primary of a Redis Cluster, each with its own deadlines and reconnects, so
 * that an unreachable one does not block the others. node-redis's own Cluster client waits for all
 * of them before it runs any command.
 */
export function openShards(
  endpoint: Extract<RedisEndpoint, { kind: 'cluster' }>,
  options: RedisShardsOptions,
): FramesRedis {
  const { onLink, onMode, ...linkOptions } = options;
  /** By address and shards: a node whose shards change gets a new link, with its subscriptions. */
  let links = new Map<string, RedisLink>();
  const linkOf = new Map<Shard, RedisLink>();
  const firstOwners = Promise.withResolvers<void>();

  const applyOwners = (owners: Owners) => {
    const before = links;
    links = new Map();
    for (const [url, shards] of Map.groupBy(owners.keys(), (shard) => owners.get(shard) ?? '')) {
      const key = `${url} ${shards.join()}`;
      const link = before.get(key) ?? openRedis({ ...linkOptions, url });
      links.set(key, link);
      for (const shard of shards) linkOf.set(shard, link);
      if (!before.has(key)) onLink?.(link, shards);
    }
    for (const shard of linkOf.keys()) if (!owners.has(shard)) linkOf.delete(shard);
    for (const [key, link] of before) if (!links.has(key)) void link.close();
    firstOwners.resolve();
  };
  const topology = watchTopology(endpoint, applyOwners, options);

  return {
    run: async (deadlineMs, command, cameraId) => {
      const link = linkOf.get(shardOf(cameraId));
      if (!link)
        throw new RedisUnavailableError(`Redis (${options.name}): no node owns this shard`);
      return await link.run(deadlineMs, command);
    },
    get isReady() {
      return links.size > 0 && [...links.values()].every((link) => link.isReady);
    },
    ready: async (withinMs) => {
      const untilMs = performance.now() + withinMs;
      await Promise.race([firstOwners.promise, sleep(withinMs, undefined, { ref: false })]);
      const leftMs = Math.max(0, untilMs - performance.now());
      await Promise.all([...links.values()].map((link) => link.ready(leftMs)));
    },
    close: async () => {
      await topology.close();
      await Promise.all([...links.values()].map((link) => link.close()));
    },
  };
}
