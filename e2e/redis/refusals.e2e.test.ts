import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../../testing/child.ts';
import { type RedisServer, startRedis } from '../../testing/redis-server.ts';
import { type Sentinels, startSentinels } from '../../testing/sentinels.ts';

const REPO = join(import.meta.dirname, '../..');
const BAD = 'bad configuration:\n  ';
const NOT_ON_CLUSTER =
  'the queue can not run on a Cluster; give it a Redis of its own, and the Cluster as FRAMES_REDIS_URL=redis+cluster://…\n';

let plain: RedisServer;
let node: RedisServer;
let sentinels: Sentinels;

beforeAll(async () => {
  [plain, node] = await Promise.all([
    startRedis({ args: ['--appendonly', 'no'] }),
    startRedis({ args: ['--cluster-enabled', 'yes'] }),
  ]);
  sentinels = await startSentinels(plain, 0);
});

afterAll(async () => {
  await sentinels?.stop();
  await Promise.all([plain?.stop(), node?.stop()]);
});

describe('a Redis of another kind than its URL says ends the process with one sentence', () => {
  const parts = ['api', 'worker'] as const;

  it.each(parts)('a Cluster for the queue, by the form of its URL: %s', async (part) => {
    const { code, stderr } = await end(part, { REDIS_URL: 'redis+cluster://u:hunter2@a,b' });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^bad configuration:\n {2}REDIS_URL: ".*" is given \(the queue can not run on a Redis Cluster; .*FRAMES_REDIS_URL\); expected .*\n$/,
    );
    expect(stderr).not.toContain('hunter2');
  });

  it.each(parts)('a node of a Cluster for the queue: %s', async (part) => {
    const { code, stderr } = await end(part, { REDIS_URL: node.url });
    expect(code).toBe(1);
    const said = `REDIS_URL: a node of a Redis Cluster answers there, and ${NOT_ON_CLUSTER}`;
    expect(stderr).toBe(BAD + said);
  });

  it('a node of a Cluster for the frames, by the URL of one server', async () => {
    const env = { REDIS_URL: plain.url, FRAMES_REDIS_URL: node.url };
    expect((await end('worker', env)).stderr).toBe(
      `${BAD}FRAMES_REDIS_URL: a node of a Redis Cluster answers there; write redis+cluster://host:6379,host:6379\n`,
    );
  });

  it('one server for the frames, by the URL of a Cluster', async () => {
    const FRAMES_REDIS_URL = `redis+cluster://127.0.0.1:${plain.port}`;
    const env = { REDIS_URL: plain.url, FRAMES_REDIS_URL };
    expect((await end('worker', env)).stderr).toBe(
      `${BAD}FRAMES_REDIS_URL: what answers there is no node of a Redis Cluster; write redis://host:6379\n`,
    );
  });

  it('a Sentinel, by the URL of one server', async () => {
    const REDIS_URL = `redis://${sentinels.hosts.split(',')[0]}`;
    expect((await end('worker', { REDIS_URL })).stderr).toBe(
      `${BAD}REDIS_URL: a Sentinel answers there; write redis+sentinel://host:26379/primary-name\n`,
    );
  });

  it('one server, by the URL of Sentinels', async () => {
    const REDIS_URL = `redis+sentinel://127.0.0.1:${plain.port}/primary`;
    expect((await end('worker', { REDIS_URL })).stderr).toBe(
      `${BAD}REDIS_URL: what answers there is no Sentinel; name the Sentinels\n`,
    );
  });
});

describe('the worker warns at its start', () => {
  it('once of a queue Redis that keeps nothing on disk', async () => {
    const worker = await startWorker({ REDIS_URL: plain.url });
    const { reason } = await worker.logged('the queue Redis forgets');
    expect(reason).toContain('appendonly yes');
    await worker.logged('the queue Redis is fit for the promise');
    await worker.end();
    expect(worker.logs.filter(({ msg }) => msg === 'the queue Redis forgets')).toHaveLength(1);
  });

  it('of one that evicts, and then calls no camera', async () => {
    await plain.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const worker = await startWorker({ REDIS_URL: plain.url });
    expect((await worker.logged('no camera is called')).reason).toContain('noeviction');
    await worker.end();
  });

  it('of Sentinels that know no primary of that name', async () => {
    const worker = await startWorker({ REDIS_URL: `redis+sentinel://${sentinels.hosts}/other` });
    const { reason } = await worker.logged('no way to the redis primary');
    expect(reason).toBe('no Sentinel answers, or knows a primary other');
    await worker.end();
  });
});

async function startWorker(env: Record<string, string>): Promise<Child> {
  return await startChild(join(REPO, 'worker/src/main.ts'), { OPS_PORT: '0', ...env });
}

/** Starts a process and waits until it has ended by itself. */
async function end(part: 'api' | 'worker', env: Record<string, string>) {
  const { PATH = '' } = process.env;
  const free = { PATH, HOST: '127.0.0.1', PORT: '0', OPS_PORT: '0' };
  const child = spawn(process.execPath, [join(REPO, part, 'src/main.ts')], {
    env: { ...free, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 90_000,
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code: code as number | null, stderr };
}
