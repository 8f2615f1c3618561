import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { COMPILE_CACHE } from '../../testing/fleet/child.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';

const REPO = join(import.meta.dirname, '../..');
let fleet: Fleet;
const children: ChildProcess[] = [];

beforeAll(async () => {
  fleet = await startFleet({ apis: 0, workers: 0 });
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await fleet?.checkAndStop();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

async function start(part: 'api' | 'worker', stdout: number | 'pipe') {
  const opsPort = await freePort();
  const child = spawn(process.execPath, [join(REPO, part, 'src/main.ts')], {
    env: {
      PATH: process.env.PATH ?? '',
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      REDIS_URL: fleet.redis.url,
      REDIS_PREFIX: fleet.redisPrefix,
      ALLOWED_SOURCES: `${fleet.slow.url}/*`,
      HOST: '127.0.0.1',
      PORT: '0',
      OPS_PORT: String(opsPort),
      LOG_LEVEL: 'debug',
    },
    stdio: ['ignore', stdout, 'pipe'],
  });
  children.push(child);
  const isLive = async () => {
    const answer = await fetch(`http://127.0.0.1:${opsPort}/livez`).catch(() => undefined);
    return answer?.status;
  };
  return { child, isLive };
}

const PATIENCE = { timeout: 60_000 };

it('keeps running when the disk of its log is full or the reader of its log is gone', async () => {
  const full = openSync('/dev/full', 'w');
  const processes = await Promise.all(
    (['api', 'worker'] as const).flatMap((part) => [start(part, full), start(part, 'pipe')]),
  );
  closeSync(full);
  for (const { child } of processes) child.stdout?.resume();
  const areLive = () => Promise.all(processes.map(({ isLive }) => isLive()));
  await expect.poll(areLive, PATIENCE).toEqual([200, 200, 200, 200]);
  for (const { child } of processes) child.stdout?.destroy();
  // Reconnecting makes some log lines.
  await fleet.redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
  await expect.poll(areLive, PATIENCE).toEqual([200, 200, 200, 200]);
  const ends = processes.map(({ child }) => once(child, 'exit'));
  for (const { child } of processes) child.kill('SIGTERM');
  expect(await Promise.all(ends)).toEqual(Array(4).fill([0, null]));
});
