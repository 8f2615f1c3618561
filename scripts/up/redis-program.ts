import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How to run a Redis on this machine. */
export type RedisProgram = { by: 'server'; command: string } | { by: 'docker' };

export interface Launch {
  command: string;
  args: string[];
}

/** Finds a way to run Redis; undefined if there is none. */
export function findRedisProgram(searchPath: string): RedisProgram | undefined {
  for (const name of ['redis-server', 'valkey-server']) {
    const command = searchPath
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find(isExecutable);
    if (command) return { by: 'server', command };
  }
  // The client alone is not enough: `info` fails without a running engine.
  const info = spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 });
  return info.status === 0 ? { by: 'docker' } : undefined;
}

/** @param folder where it keeps its data */
export function redisLaunch(program: RedisProgram, folder: string, port: number): Launch {
  if (program.by === 'server') {
    const own = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
    return { command: program.command, args: [...own, ...DURABLE] };
  }
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const run = ['run', '--rm', '--name', containerName(folder), '--user', user];
  const mounts = ['-p', `127.0.0.1:${port}:6379`, '-v', `${folder}:/data`];
  const server = ['redis:7', 'redis-server', '--protected-mode', 'no', ...DURABLE];
  return { command: 'docker', args: [...run, ...mounts, ...server] };
}

/** Removes the container of an earlier run: it outlives a killed `docker run`. */
export function removeLeftoverContainer(folder: string): void {
  spawnSync('docker', ['rm', '-f', containerName(folder)], { stdio: 'ignore' });
}

/** Persists every permit, because the worker adopts this Redis without a hold-off. */
const DURABLE = [
  ...['--appendonly', 'yes', '--appendfsync', 'always'],
  ...['--save', '', '--maxmemory-policy', 'noeviction', '--daemonize', 'no'],
];

function containerName(folder: string): string {
  return `lastframe-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
