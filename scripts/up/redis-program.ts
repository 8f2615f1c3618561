import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/** A program on PATH that can run a Redis. */
export type RedisProgram = 'redis-server' | 'valkey-server' | 'docker';

/** Persists every permit, because the worker adopts this Redis without a hold-off. */
const DURABLE = [
  ['--appendonly', 'yes'],
  ['--appendfsync', 'always'],
  ['--save', ''],
  ['--maxmemory-policy', 'noeviction'],
  ['--daemonize', 'no'],
].flat();

/** Finds a way to run Redis on this machine; undefined if there is none. */
export function findRedisProgram(): RedisProgram | undefined {
  const works = (command: RedisProgram, arg: string) =>
    spawnSync(command, [arg], { stdio: 'ignore', timeout: 10_000 }).status === 0;
  if (works('redis-server', '--version')) return 'redis-server';
  if (works('valkey-server', '--version')) return 'valkey-server';
  // Docker's client alone is not enough: `info` fails without a running engine.
  return works('docker', 'info') ? 'docker' : undefined;
}

/** @param folder the absolute path of the folder where it keeps its data */
export function redisArgs(program: RedisProgram, folder: string, port: number): string[] {
  if (program !== 'docker') {
    return ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, ...DURABLE];
  }
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const run = ['run', '--rm', '--name', containerName(folder), '--user', user];
  const mounts = ['-p', `127.0.0.1:${port}:6379`, '-v', `${folder}:/data`];
  return [...run, ...mounts, 'redis:7', 'redis-server', '--protected-mode', 'no', ...DURABLE];
}

/** Removes the container of an earlier run: it outlives a killed `docker run`. */
export function removeLeftoverContainer(folder: string): void {
  spawnSync('docker', ['rm', '-f', containerName(folder)], { stdio: 'ignore' });
}

function containerName(folder: string): string {
  return `lastframe-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
}
