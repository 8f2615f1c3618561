import type { Log } from '../process/log.ts';
import type { FleetConfig } from '../settings/config.ts';
import { parseRedisUrl, type RedisEndpoint } from '../settings/redis-url.ts';
import { type FramesRedis, openShards, type RedisShardsOptions } from './cluster/redis-shards.ts';
import { SHARDS } from './cluster/shard.ts';
import { openRedis, type RedisLink } from './redis-link.ts';
import { readRedisTls } from './redis-tls.ts';
import { openPrimaryRelay, type PrimaryRelay } from './sentinel/primary-relay.ts';

/** The two roles of Redis, and this process's links to the servers in these roles. */
export interface RedisRoles {
  /** To the Redis of the queue and the permits. */
  queue(name: string, options?: { offlineQueue?: boolean }): RedisLink;
  /** To the Redis of the frames and announcements. */
  frames(name: string, onLink?: RedisShardsOptions['onLink']): FramesRedis;
  /** Must be called after all links are closed. */
  close(): Promise<void>;
}

export interface RedisRolesDeps {
  config: Pick<FleetConfig, 'redisUrl' | 'framesRedisUrl' | 'redisTlsFiles'>;
  log: Log;
  /** Called if a URL leads to a different kind of Redis than it says: a configuration error. */
  onWrongKind: (fault: string) => void;
  /** Called when a lost link is up again. */
  onReconnect?: (name: string) => void;
}

type RoleName = 'REDIS_URL' | 'FRAMES_REDIS_URL';
/** Anything but a Cluster: one connection reaches all of it. */
type OneServer = Exclude<RedisEndpoint, { kind: 'cluster' }>;

/** @throws ConfigError */
export function openRedisRoles(deps: RedisRolesDeps): RedisRoles {
  const { config, log, onWrongKind, onReconnect } = deps;
  const { redisUrl, framesRedisUrl } = config;
  const tls = readRedisTls(config.redisTlsFiles, [redisUrl, framesRedisUrl]);
  const queueEndpoint = endpointOf(redisUrl);
  const framesEndpoint = endpointOf(framesRedisUrl);
  if (queueEndpoint.kind === 'cluster') throw new TypeError('REDIS_URL cannot be a Cluster');
  const relays = new Map<string, PrimaryRelay>();

  const optionsOf = (role: RoleName, name: string, { kind }: RedisEndpoint) => ({
    name,
    log,
    tls,
    onReconnect: () => onReconnect?.(name),
    onMode: (mode: string) => {
      const fault = wrongKind(role, kind, mode);
      if (fault !== undefined) onWrongKind(fault);
    },
  });
  const relayTo = (role: RoleName, endpoint: OneServer, url: string) => {
    if (endpoint.kind === 'server') return {};
    const onMode = (mode: string) => {
      if (mode !== 'sentinel')
        onWrongKind(`${role}: this is not a Sentinel; list the addresses of the Sentinels`);
    };
    const relay = relays.get(url) ?? openPrimaryRelay(endpoint, { tls, log, onMode });
    relays.set(url, relay);
    return { path: relay.path };
  };

  return {
    queue: (name, { offlineQueue = false } = {}) =>
      openRedis({
        ...optionsOf('REDIS_URL', name, queueEndpoint),
        ...relayTo('REDIS_URL', queueEndpoint, redisUrl),
        url: queueEndpoint.url,
        offlineQueue,
      }),
    frames: (name, onLink) => {
      const role = framesRedisUrl === redisUrl ? 'REDIS_URL' : 'FRAMES_REDIS_URL';
      const options = optionsOf(role, name, framesEndpoint);
      if (framesEndpoint.kind === 'cluster')
        return openShards(framesEndpoint, { ...options, onLink });
      const relay = relayTo(role, framesEndpoint, framesRedisUrl);
      const link = openRedis({ ...options, ...relay, url: framesEndpoint.url });
      onLink?.(link, SHARDS);
      return link;
    },
    close: async () => {
      await Promise.all([...relays.values()].map((relay) => relay.close()));
    },
  };
}

/** Returns whether announcements are sharded, as on a Cluster. */
export function isSharded({ framesRedisUrl }: Pick<FleetConfig, 'framesRedisUrl'>): boolean {
  return endpointOf(framesRedisUrl).kind === 'cluster';
}

function endpointOf(url: string): RedisEndpoint {
  const endpoint = parseRedisUrl(url);
  if (!endpoint) throw new TypeError('not a Redis URL; the configuration should have rejected it');
  return endpoint;
}

/** Returns what the URL should be if a different kind of Redis responds there. */
function wrongKind(role: RoleName, kind: RedisEndpoint['kind'], mode: string): string | undefined {
  const expected = kind === 'cluster' ? 'cluster' : 'standalone';
  if (mode === expected) return undefined;
  if (mode === 'sentinel') {
    return `${role}: this is a Sentinel; write redis+sentinel://host:26379/primary-name`;
  }
  if (kind === 'cluster') {
    return `${role}: this is not a node of a Redis Cluster; write redis://host:6379`;
  }
  return role === 'REDIS_URL'
    ? `${role}: this is a node of a Redis Cluster, and the queue cannot run on a Cluster; use a separate Redis for it, and set the Cluster as FRAMES_REDIS_URL=redis+cluster://…`
    : `${role}: this is a node of a Redis Cluster; write redis+cluster://host:6379,host:6379`;
}
