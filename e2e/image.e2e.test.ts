import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCalls, type Pause, type UpstreamCall } from '../testing/checker.ts';
import { type Child, startChild } from '../testing/child.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { type ImageTree, makeImageTree } from './image/image-tree.ts';

const REPO = resolve(import.meta.dirname, '..');
const WORKSPACES = ['shared', 'api', 'worker', 'slow-server'];
const INTERVAL_MS = 500;
/** Ten thousand files are written and removed. */
const SLOW_DISK_MS = 300_000;

/** No Docker engine: the image's files, which nobody can write to, its entry point, user and health check. */
describe('the image', () => {
  let tree: ImageTree;
  let redis: RedisServer;
  const children: Child[] = [];

  beforeAll(async () => {
    tree = makeImageTree();
    redis = await startRedis();
  }, SLOW_DISK_MS);

  afterAll(async () => {
    await Promise.all(children.map((child) => !child.hasEnded && child.end('SIGKILL')));
    await redis?.stop();
    tree?.remove();
  }, SLOW_DISK_MS);

  const user = () => (process.getuid?.() === 0 ? { uid: tree.uid, gid: tree.gid } : {});
  const start = async (part: string, env: Record<string, string>) => {
    const [, script = '', ...args] = tree.entrypoint;
    const how = { node: tree.node, cwd: tree.workdir, args: [...args, part], ...user() };
    const child = await startChild(script, env, how);
    children.push(child);
    return child;
  };
  const isHealthy = ({ pid }: Child, env: Record<string, string>) => {
    const [, script = ''] = tree.healthcheck;
    const options = { cwd: tree.workdir, env, ...user() };
    return spawnSync(tree.node, [script, String(pid)], options).status === 0;
  };

  it('runs as a user that is not root, named by number', () => {
    expect(tree.uid).toBeGreaterThan(0);
    expect(tree.gid).toBeGreaterThan(0);
  });

  it('has what production needs and nothing of development', () => {
    const { packages } = JSON.parse(readFileSync(join(REPO, 'package-lock.json'), 'utf8'));
    const files = readdirSync(tree.workdir, { recursive: true, encoding: 'utf8' });
    const there = new Set(files);
    const dev = Object.keys(packages).filter((path) => packages[path].dev);
    expect(dev).toContain('node_modules/vitest');
    expect(dev.filter((path) => there.has(path))).toEqual([]);
    const ofProduction = new Set(
      WORKSPACES.flatMap((name) => Object.keys(packages[name].dependencies ?? {})),
    );
    const own = files.filter((path) => !path.startsWith('node_modules'));
    const { devDependencies } = JSON.parse(readFileSync(join(REPO, 'package.json'), 'utf8'));
    const tools = Object.keys(devDependencies).filter((name) => !ofProduction.has(name));
    expect(tools).toContain('typescript');
    expect(tools.filter((name) => there.has(`node_modules/${name}`))).toEqual([]);
    expect(own.filter((path) => /test/.test(path))).toEqual([]);
    expect(own).toContain('shared/src/frames/store-frame.lua');
  });

  it('refuses a command that it does not know, with a sentence', () => {
    const [, script = ''] = tree.entrypoint;
    const { status, stderr } = spawnSync(tree.node, [script, 'aip'], { cwd: tree.workdir });
    expect(status).toBe(1);
    expect(String(stderr)).toBe(
      'lastframe: "aip" is given as command; expected one of api, worker, slow-server\n',
    );
  });

  it('serves an image as api, worker and slow server, and ends on SIGTERM with 0', async () => {
    const slow = await start('slow-server', { HOST: '127.0.0.1', PORT: '0', DELAY: '100ms' });
    const slowUrl = `http://localhost:${slow.listening.port}`;
    const env = {
      REDIS_URL: redis.url,
      ALLOWED_SOURCES: `${slowUrl}/*`,
      ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
      INTERVAL: `${INTERVAL_MS}ms`,
      OPS_PORT: '0',
    };
    const worker = await start('worker', { ...env, ADOPT_REDIS: 'true' });
    const api = await start('api', { ...env, HOST: '127.0.0.1', PORT: '0' });
    // The README's curl.
    const apiUrl = `http://localhost:${api.listening.port}/images`;
    const curl = () => fetch(`${apiUrl}?${new URLSearchParams({ url: `${slowUrl}/image` })}`);
    await expect.poll(async () => (await curl()).status, { timeout: 30_000 }).toBe(200);
    const answer = await curl();
    expect(answer.headers.get('content-type')).toBe('image/jpeg');
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(1000);

    const port = (child: Child) => ({ OPS_PORT: String(child.listening.opsPort) });
    await expect.poll(() => isHealthy(worker, port(worker)), { timeout: 20_000 }).toBe(true);
    await expect.poll(() => isHealthy(api, port(api)), { timeout: 20_000 }).toBe(true);
    const ofSlow = { HOST: '127.0.0.1', PORT: String(slow.listening.port) };
    await expect.poll(() => isHealthy(slow, ofSlow), { timeout: 20_000 }).toBe(true);
    expect(isHealthy(api, { OPS_PORT: '1' })).toBe(false);

    const getImage = (url: string) =>
      spawnSync(tree.node, ['image/get-image.ts', url], { cwd: tree.workdir, encoding: 'utf8' });
    expect(getImage(`${apiUrl}?url=${slowUrl}/image`)).toMatchObject({ status: 0, stderr: '' });
    const refused = getImage(`${apiUrl}?url=http://localhost:1/`);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('403');

    const calls = (await (await fetch(`${slowUrl}/calls`)).json()) as UpstreamCall[];
    const pauses = (await (await fetch(`${slowUrl}/pauses`)).json()) as Pause[];
    expect(await Promise.all([api, worker, slow].map((child) => child.end()))).toEqual([0, 0, 0]);
    expect(checkCalls(calls, INTERVAL_MS, pauses).breaches).toEqual([]);
  });
});
