import { readFile } from 'node:fs/promises';
import { createClient } from 'redis';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { expectCleanEnd } from '../../testing/checks/recovery.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';

const TOKEN = 'a-token-for-this-test';
let fleet: Fleet;

afterEach(async () => {
  await fleet?.checkAndStop();
});

it('the users in docs/redis.md may do everything that Lastframe does, and nothing else', async () => {
  const redis = await ownRedis();
  const frames = await ownRedis();
  fleet = await startFleet({ redis, apis: 0, workers: 0 });
  const urls = await createUsers({ queue: redis, frames });
  await fleet.startWorker({
    REDIS_URL: urls('worker', 'queue'),
    FRAMES_REDIS_URL: urls('worker', 'frames'),
    ADOPT_REDIS: 'true',
  });
  await fleet.startApi({
    REDIS_URL: urls('api', 'queue'),
    FRAMES_REDIS_URL: urls('api', 'frames'),
    COLD_WAIT: '3s',
    ADMIN_TOKEN: TOKEN,
  });
  await expectOneFrame();
  await Promise.all([{ status: '500' }, { as: 'frozen' }].map(requestTwice));
  for (const path of ['refresh', 'purge?hard=1']) expect((await adminRequest(path)).ok).toBe(true);
  const dashboard = '/queues/api/queues?activeQueue=refresh&status=completed&page=1';
  expect((await fetch(`${fleet.workers[0]?.opsUrl}${dashboard}`)).status).toBe(200);
  expect([await aclDenials(redis), await aclDenials(frames)]).toEqual([[], []]);
  for (const command of [
    ['SET', `${fleet.redisPrefix}:permit:x`, '1'],
    ['FLUSHALL'],
    ['KEYS', '*'],
  ]) {
    await expect(runCommand(urls('api', 'queue'), command)).rejects.toThrow('NOPERM');
    await expect(runCommand(urls('api', 'frames'), command)).rejects.toThrow('NOPERM');
  }

  await redis.command('ACL', 'SETUSER', 'lastframe-worker-queue', '-@sortedset');
  await fleet.workers[0]?.waitForLog('the Redis user lacks permissions that the queue needs');
  await expectCleanEnd(fleet);
});

/** Sends an operator's request to the api. */
async function adminRequest(path: string): Promise<Response> {
  const url = new URL(path, `${fleet.apis[0]?.opsUrl}/`);
  url.searchParams.set('url', fleet.slow.camera('one'));
  const headers = { Authorization: `Bearer ${TOKEN}` };
  return await fetch(url, { method: 'POST', headers });
}

async function expectOneFrame(): Promise<void> {
  const camera = fleet.slow.camera('one');
  const status = async () => (await fleet.apis[0]?.image(camera))?.status;
  await expect.poll(status, { timeout: 60_000 }).toBe(200);
}

/** Covers what a failing or frozen camera writes to Redis. */
async function requestTwice(query: Record<string, string>): Promise<void> {
  const camera = fleet.slow.camera('other', query);
  const calls = async () => {
    await fleet.apis[0]?.image(camera);
    return (await fleet.slow.calls()).filter(({ url }) => url === camera).length;
  };
  await expect.poll(calls, { timeout: 60_000 }).toBeGreaterThan(1);
}

async function ownRedis(): Promise<RedisServer> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  return redis;
}

type Role = 'queue' | 'frames';

/** Creates the users of the docs with this fleet's prefix. Returns their URLs. */
async function createUsers(servers: Record<Role, RedisServer>) {
  const page = await readFile(new URL('../../docs/redis.md', import.meta.url), 'utf8');
  const lines = page.match(/^ACL SETUSER .*$/gm) ?? [];
  expect(lines).toHaveLength(4);
  const passwords = new Map<string, string>();
  for (const line of lines) {
    const [user = '', role = ''] = /lastframe-\w+-(\w+)/.exec(line) ?? [];
    passwords.set(user, /on >(\S+)/.exec(line)?.[1] ?? '');
    const withKeys = line.replaceAll('~lastframe:', `~${fleet.redisPrefix}:`);
    const command = withKeys.replaceAll('&lastframe:', `&${fleet.redisPrefix}:`).split(' ');
    await servers[role as Role].command(...command);
  }
  return (process: 'api' | 'worker', role: Role) => {
    const user = `lastframe-${process}-${role}`;
    return `redis://${user}:${passwords.get(user)}@127.0.0.1:${servers[role].port}`;
  };
}

async function runCommand(url: string, command: string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  return await client.sendCommand(command).finally(() => client.destroy());
}

/** Returns what Redis denied: user, and command or key. */
async function aclDenials(redis: RedisServer): Promise<string[]> {
  const log = (await redis.command('ACL', 'LOG')) as Record<string, string>[];
  return log.map(({ username, reason, object }) => `${username}: ${reason} ${object}`);
}
