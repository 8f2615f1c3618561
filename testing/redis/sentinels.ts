import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { freePort, type RedisServer, redisBinary, runCommand } from './redis-server.ts';

/** Three Sentinels that watch one primary and its replicas. */
export interface Sentinels {
  /** `host:port,host:port,host:port` */
  readonly hosts: string;
  /** Returns the port of the server they report as the primary. */
  primaryPort(): Promise<number>;
  /** Makes them report another server as the primary, without a failover. */
  watchInstead(port: number): Promise<void>;
  signal(index: number, signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

export const PRIMARY_NAME = 'lastframe-queue';

/** Waits until the Sentinels know each other and every replica, and so can fail over. */
export async function startSentinels(primary: RedisServer, replicas: number): Promise<Sentinels> {
  const dir = await mkdtemp(join(tmpdir(), 'lastframe-sentinels-'));
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const children = await Promise.all(ports.map((port) => startSentinel(dir, port, primary.port)));
  const run = (port: number, ...command: string[]) =>
    runCommand(`redis://127.0.0.1:${port}`, ['SENTINEL', ...command]);
  const master = async (port: number) =>
    (await run(port, 'MASTER', PRIMARY_NAME)) as Record<string, string>;
  for (const port of ports) {
    const all = { 'num-other-sentinels': '2', 'num-slaves': String(replicas), flags: 'master' };
    await vi.waitFor(async () => expect(await master(port)).toMatchObject(all), {
      timeout: 60_000,
      interval: 100,
    });
  }
  return {
    hosts: ports.map((port) => `127.0.0.1:${port}`).join(),
    primaryPort: async () => Number((await master(ports[0])).port),
    watchInstead: async (other) => {
      for (const port of ports) {
        await run(port, 'REMOVE', PRIMARY_NAME);
        await run(port, 'MONITOR', PRIMARY_NAME, '127.0.0.1', String(other), '2');
      }
    },
    signal: (index, signal) => void children[index]?.kill(signal),
    stop: async () => {
      const alive = children.filter(({ signalCode }) => signalCode === null);
      const ended = alive.map((child) => once(child, 'exit'));
      for (const child of alive) child.kill('SIGKILL');
      await Promise.all(ended);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function startSentinel(dir: string, port: number, primary: number): Promise<ChildProcess> {
  const file = join(dir, `${port}.conf`);
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor ${PRIMARY_NAME} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${PRIMARY_NAME} 1000`,
    `sentinel failover-timeout ${PRIMARY_NAME} 3000`,
  ];
  await writeFile(file, settings.join('\n'));
  return spawn(redisBinary(), [file, '--sentinel'], { stdio: 'ignore' });
}
