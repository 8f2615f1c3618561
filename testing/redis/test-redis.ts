import { randomUUID } from 'node:crypto';
import { createLog } from '@lastframe/shared/process/log';
import { type Keys, keysFor } from '@lastframe/shared/redis/keys';
import {
  openRedis,
  type RedisLink,
  type RedisLinkOptions,
} from '@lastframe/shared/redis/redis-link';
import { inject, onTestFinished } from 'vitest';
import type {} from './redis-for-tests.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** For tests: opens a connection that is closed when the test ends. */
export function testLink(url: string, options: Partial<RedisLinkOptions> = {}): RedisLink {
  const link = openRedis({ url, name: 'test', log: createLog('test', 'silent'), ...options });
  onTestFinished(() => link.close());
  return link;
}

/** For tests: connects to the Redis that all tests share, with keys of the test's own. */
export async function sharedRedis(): Promise<{ link: RedisLink; keys: Keys; prefix: string }> {
  const link = testLink(inject('redisUrl'));
  await link.ready(10_000);
  const prefix = `test-${randomUUID()}`;
  return { link, keys: keysFor(prefix), prefix };
}

/**
 * For tests: waits for the next millisecond of Redis's clock. Of two frames whose calls began in
 * the same millisecond, only the first is stored.
 */
export async function nextRedisMs({ client }: Pick<RedisLink, 'client'>): Promise<void> {
  const redisMs = async () => {
    const [seconds, micros] = (await client.sendCommand(['TIME'])) as [string, string];
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  };
  const startedMs = await redisMs();
  while ((await redisMs()) === startedMs);
}

/** For tests: starts a Redis of the test's own, which it may kill and freeze. */
export async function ownRedis(...args: string[]): Promise<RedisServer> {
  const server = await startRedis({ args });
  onTestFinished(() => server.stop());
  return server;
}
