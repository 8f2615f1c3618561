import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority, signedBy } from '../../worker/src/test-support/certificate.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { expectCleanEnd } from '../support/recovery.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis-server.ts';
import { startAudience } from '../support/short-faults.ts';

let fleet: Fleet;

afterEach(async () => {
  await fleet.check();
  await fleet.stop();
});

describe('a Redis of its own for the frames', () => {
  it('may evict and forget; the queue keeps none of the frames', async () => {
    const frames = await ownRedis('--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru');
    fleet = await startFleet({ apis: 2, env: { FRAMES_REDIS_URL: frames.url } });
    const audience = await startAudience(fleet);
    expect(await keysOf(frames, '*:frame:*')).toHaveLength(audience.cameras.length);
    expect(await keysOf(fleet.redis, '*:frame:*')).toEqual([]);
    await frames.command('FLUSHALL');
    await expectFrames(frames, audience.cameras.length);
    expect((await audience.stop()).failures).toEqual([]);
    await expectCleanEnd(fleet);
  });
});

describe('TLS', () => {
  it('leads to a Redis whose certificate a private authority signed, and which asks for ours', async () => {
    const { files, port } = await tlsRedis();
    const env = { REDIS_CA_FILE: files.ca, REDIS_CERT_FILE: files.cert, REDIS_KEY_FILE: files.key };
    const redisUrl = `rediss://localhost:${port}`;
    fleet = await startFleet({ redisUrl, env });
    await expectOneFrame();

    const stranger = await fleet.startApi({
      REDIS_CA_FILE: '',
      REDIS_CERT_FILE: '',
      REDIS_KEY_FILE: '',
    });
    const { reason } = await stranger.logged('redis can not be reached');
    expect(reason).toMatch(/self-signed certificate|unable to verify|unable to get/);
    await expectCleanEnd(fleet);
  });
});

describe('ACL', () => {
  it('the users of docs/redis.md can do all that is done, and nothing else', async () => {
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
    });
    await expectOneFrame();
    await Promise.all([{ status: '500' }, { as: 'frozen' }].map(askTwice));
    const dashboard = '/queues/api/queues?activeQueue=refresh&status=completed&page=1';
    expect((await fetch(`${fleet.workers[0]?.opsUrl}${dashboard}`)).status).toBe(200);
    expect([await refusals(redis), await refusals(frames)]).toEqual([[], []]);
    for (const command of [['GET', `${fleet.redisPrefix}:permit:x`], ['FLUSHALL'], ['KEYS', '*']]) {
      await expect(ask(urls('api', 'queue'), command)).rejects.toThrow('NOPERM');
      await expect(ask(urls('api', 'frames'), command)).rejects.toThrow('NOPERM');
    }
    await expectCleanEnd(fleet);
  });
});

async function expectOneFrame(): Promise<void> {
  const camera = fleet.slow.camera('one');
  const status = async () => (await fleet.apis[0]?.image(camera))?.status;
  await expect.poll(status, { timeout: 20_000 }).toBe(200);
}

/** Also what a camera that fails, or doesn't change, leaves in Redis. */
async function askTwice(query: Record<string, string>): Promise<void> {
  const camera = fleet.slow.camera('other', query);
  const calls = async () => {
    await fleet.apis[0]?.image(camera);
    return (await fleet.slow.calls()).filter(({ url }) => url === camera).length;
  };
  await expect.poll(calls, { timeout: 20_000 }).toBeGreaterThan(1);
}

async function expectFrames(redis: RedisServer, count: number): Promise<void> {
  const stored = async () => (await keysOf(redis, '*:frame:*')).length;
  await expect.poll(stored, { timeout: 20_000 }).toBe(count);
}

async function keysOf(redis: RedisServer, pattern: string): Promise<string[]> {
  return (await redis.command('KEYS', pattern)) as string[];
}

async function ownRedis(...args: string[]): Promise<RedisServer> {
  const redis = await startRedis({ args });
  onTestFinished(() => redis.stop());
  return redis;
}

/** Speaks TLS on another port, only with whom the authority knows. */
async function tlsRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'lastframe-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const authority = createAuthority('Lastframe test authority');
  const [server, client] = ['localhost', 'lastframe'].map((name) => signedBy(authority, name));
  const contents = { ca: authority.cert, cert: client?.cert, key: client?.key };
  const write = async (name: string, text = '') => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const files = {
    ca: await write('ca', contents.ca),
    cert: await write('cert', contents.cert),
    key: await write('key', contents.key),
  };
  const port = await freePort();
  await ownRedis(
    ...['--tls-port', String(port), '--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'yes'],
    ...['--tls-cert-file', await write('server-cert', server?.cert)],
    ...['--tls-key-file', await write('server-key', server?.key)],
  );
  return { files, port };
}

type Role = 'queue' | 'frames';

/** Pastes the lines of the docs, with the prefix of this fleet. */
async function createUsers(servers: Record<Role, RedisServer>) {
  const page = await readFile(new URL('../../docs/redis.md', import.meta.url), 'utf8');
  const lines = page.match(/^ACL SETUSER .*$/gm) ?? [];
  expect(lines).toHaveLength(4);
  const passwords = new Map<string, string>();
  for (const line of lines) {
    const [user = '', role = ''] = /lastframe-\w+-(\w+)/.exec(line) ?? [];
    passwords.set(user, /on >(\S+)/.exec(line)?.[1] ?? '');
    const ours = line.replaceAll('~lastframe:', `~${fleet.redisPrefix}:`);
    const command = ours.replaceAll('&lastframe:', `&${fleet.redisPrefix}:`).split(' ');
    await servers[role as Role].command(...command);
  }
  return (process: 'api' | 'worker', role: Role) => {
    const user = `lastframe-${process}-${role}`;
    return `redis://${user}:${passwords.get(user)}@127.0.0.1:${servers[role].port}`;
  };
}

async function ask(url: string, command: string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  return await client.sendCommand(command).finally(() => client.destroy());
}

/** What Redis refused: user, command or key. */
async function refusals(redis: RedisServer): Promise<string[]> {
  const log = (await redis.command('ACL', 'LOG')) as Record<string, string>[];
  return log.map(({ username, reason, object }) => `${username}: ${reason} ${object}`);
}
