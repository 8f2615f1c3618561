import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, COMPILE_CACHE, startChild } from '../../testing/fleet/child.ts';
import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';
import { type Sentinels, startSentinels } from '../../testing/redis/sentinels.ts';

const REPO = join(import.meta.dirname, '../..');
const BAD = 'bad configuration:\n  ';
const NOT_ON_CLUSTER =
  'the queue cannot run on a Cluster; use a separate Redis for it, and set the Cluster as FRAMES_REDIS_URL=redis+cluster://…\n';

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

describe('a Redis of another kind than its URL says ends the process with a clear message', () => {
  const parts = ['api', 'worker'] as const;

  it.each(parts)('a Cluster URL for the queue: %s', async (part) => {
    const { code, stderr } = await runToExit(part, { REDIS_URL: 'redis+cluster://u:hunter2@a,b' });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^bad configuration:\n {2}REDIS_URL: ".*" is not valid; expected .* \(the queue cannot run on a Redis Cluster; .*FRAMES_REDIS_URL\)\n$/,
    );
    expect(stderr).not.toContain('hunter2');
  });

  it.each(parts)('a Cluster node for the queue: %s', async (part) => {
    const { code, stderr } = await runToExit(part, { REDIS_URL: node.url });
    expect(code).toBe(1);
    const expected = `REDIS_URL: this is a node of a Redis Cluster, and ${NOT_ON_CLUSTER}`;
    expect(stderr).toBe(BAD + expected);
  });

  it('a Cluster node for the frames, with the URL of a single server', async () => {
    const env = { REDIS_URL: plain.url, FRAMES_REDIS_URL: node.url };
    expect((await runToExit('worker', env)).stderr).toBe(
      `${BAD}FRAMES_REDIS_URL: this is a node of a Redis Cluster; write redis+cluster://host:6379,host:6379\n`,
    );
  });

  it('a single server for the frames, with a Cluster URL', async () => {
    const FRAMES_REDIS_URL = `redis+cluster://127.0.0.1:${plain.port}`;
    const env = { REDIS_URL: plain.url, FRAMES_REDIS_URL };
    expect((await runToExit('worker', env)).stderr).toBe(
      `${BAD}FRAMES_REDIS_URL: this is not a node of a Redis Cluster; write redis://host:6379\n`,
    );
  });

  it('a Sentinel, with the URL of a single server', async () => {
    const REDIS_URL = `redis://${sentinels.hosts.split(',')[0]}`;
    expect((await runToExit('worker', { REDIS_URL })).stderr).toBe(
      `${BAD}REDIS_URL: this is a Sentinel; write redis+sentinel://host:26379/primary-name\n`,
    );
  });

  it('a single server, with a Sentinel URL', async () => {
    const REDIS_URL = `redis+sentinel://127.0.0.1:${plain.port}/primary`;
    expect((await runToExit('worker', { REDIS_URL })).stderr).toBe(
      `${BAD}REDIS_URL: this is not a Sentinel; list the addresses of the Sentinels\n`,
    );
  });
});

describe('the worker warns on startup', () => {
  it('once about a queue Redis without persistence', async () => {
    const worker = await startWorker({ REDIS_URL: plain.url });
    const { reason } = await worker.waitForLog('the queue Redis does not persist its data');
    expect(reason).toContain('appendonly yes');
    await worker.waitForLog('queue Redis healthy, camera calls resumed');
    await worker.end();
    expect(
      worker.logs.filter(({ msg }) => msg === 'the queue Redis does not persist its data'),
    ).toHaveLength(1);
  });

  it('about a queue Redis that evicts, and calls no camera', async () => {
    await plain.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const worker = await startWorker({ REDIS_URL: plain.url });
    expect((await worker.waitForLog('camera calls suspended')).reason).toContain('noeviction');
    await worker.end();
  });

  it('about Sentinels that know no primary of that name', async () => {
    const worker = await startWorker({ REDIS_URL: `redis+sentinel://${sentinels.hosts}/other` });
    const { reason } = await worker.waitForLog('no connection to the redis primary');
    expect(reason).toBe('no Sentinel responds, or none knows a primary named other');
    await worker.end();
  });
});

async function startWorker(env: Record<string, string>): Promise<Child> {
  return await startChild(join(REPO, 'worker/src/main.ts'), { OPS_PORT: '0', ...env });
}

/** Starts a process and waits until it exits on its own. */
async function runToExit(part: 'api' | 'worker', env: Record<string, string>) {
  const { PATH = '' } = process.env;
  const free = {
    PATH,
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
  };
  const child = spawn(process.execPath, [join(REPO, part, 'src/main.ts')], {
    env: { ...free, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 90_000,
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code: code as number | null, stderr };
}
