import type { Log } from '../process/log.ts';
import type { FleetConfig } from '../settings/config.ts';
import { parseRedisUrl, type RedisPlace } from '../settings/redis-url.ts';
import { type FramesRedis, openShards, type RedisShardsOptions } from './cluster/redis-shards.ts';
import { SHARDS } from './cluster/shard.ts';
import { openRedis, type RedisLink } from './redis-link.ts';
import { readRedisTls } from './redis-tls.ts';
import { openPrimaryRelay, type PrimaryRelay } from './sentinel/primary-relay.ts';

/** The two parts that a Redis can play, and the links of this process to whoever plays them. */
export interface RedisRoles {
  /** To the Redis of the queue and the permits. */
  queue(name: string, options?: { offlineQueue?: boolean }): RedisLink;
  /** To the Redis of the frames and announcements. */
  frames(name: string, onLink?: RedisShardsOptions['onLink']): FramesRedis;
  /** After all links. */
  close(): Promise<void>;
}

export interface RedisRolesDeps {
  config: Pick<FleetConfig, 'redisUrl' | 'framesRedisUrl' | 'redisTlsFiles'>;
  log: Log;
  /** A URL leads to another kind of Redis than it says: a fault of the configuration. */
  refuse: (fault: string) => void;
  /** A link was lost and is there again. */
  onReconnect?: (name: string) => void;
}

type RoleName = 'REDIS_URL' | 'FRAMES_REDIS_URL';
/** All but a Cluster: one connection leads to all of it. */
type OneServer = Exclude<RedisPlace, { kind: 'cluster' }>;

/** @throws ConfigError */
export function openRedisRoles({ config, log, refuse, onReconnect }: RedisRolesDeps): RedisRoles {
  const { redisUrl, framesRedisUrl } = config;
  const tls = readRedisTls(config.redisTlsFiles, [redisUrl, framesRedisUrl]);
  const queuePlace = placeOf(redisUrl);
  const framesPlace = placeOf(framesRedisUrl);
  if (queuePlace.kind === 'cluster') throw new TypeError('a Cluster is no REDIS_URL');
  const relays = new Map<string, PrimaryRelay>();

  const optionsOf = (role: RoleName, name: string, { kind }: RedisPlace) => ({
    name,
    log,
    tls,
    onReconnect: () => onReconnect?.(name),
    onMode: (mode: string) => {
      const fault = wrongKind(role, kind, mode);
      if (fault !== undefined) refuse(fault);
    },
  });
  const relayTo = (role: RoleName, place: OneServer, url: string) => {
    if (place.kind === 'server') return {};
    const onMode = (mode: string) => {
      if (mode !== 'sentinel')
        refuse(`${role}: what answers there is no Sentinel; name the Sentinels`);
    };
    const relay = relays.get(url) ?? openPrimaryRelay(place, { tls, log, onMode });
    relays.set(url, relay);
    return { path: relay.path };
  };

  return {
    queue: (name, { offlineQueue = false } = {}) =>
      openRedis({
        ...optionsOf('REDIS_URL', name, queuePlace),
        ...relayTo('REDIS_URL', queuePlace, redisUrl),
        url: queuePlace.url,
        offlineQueue,
      }),
    frames: (name, onLink) => {
      const role = framesRedisUrl === redisUrl ? 'REDIS_URL' : 'FRAMES_REDIS_URL';
      const options = optionsOf(role, name, framesPlace);
      if (framesPlace.kind === 'cluster') return openShards(framesPlace, { ...options, onLink });
      const relay = relayTo(role, framesPlace, framesRedisUrl);
      const link = openRedis({ ...options, ...relay, url: framesPlace.url });
      onLink?.(link, SHARDS);
      return link;
    },
    close: async () => {
      await Promise.all([...relays.values()].map((relay) => relay.close()));
    },
  };
}

/** Whether news go by shards, as on a Cluster. */
export function isSharded({ framesRedisUrl }: Pick<FleetConfig, 'framesRedisUrl'>): boolean {
  return placeOf(framesRedisUrl).kind === 'cluster';
}

function placeOf(url: string): RedisPlace {
  const place = parseRedisUrl(url);
  if (!place) throw new TypeError('the configuration has checked it');
  return place;
}

/** What the URL should have said, when another kind of Redis answers there. */
function wrongKind(role: RoleName, kind: RedisPlace['kind'], mode: string): string | undefined {
  const expected = kind === 'cluster' ? 'cluster' : 'standalone';
  if (mode === expected) return undefined;
  if (mode === 'sentinel') {
    return `${role}: a Sentinel answers there; write redis+sentinel://host:26379/primary-name`;
  }
  if (kind === 'cluster') {
    return `${role}: what answers there is no node of a Redis Cluster; write redis://host:6379`;
  }
  return role === 'REDIS_URL'
    ? `${role}: a node of a Redis Cluster answers there, and the queue can not run on a Cluster; give it a Redis of its own, and the Cluster as FRAMES_REDIS_URL=redis+cluster://…`
    : `${role}: a node of a Redis Cluster answers there; write redis+cluster://host:6379,host:6379`;
}
