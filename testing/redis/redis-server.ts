import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { isFree } from '../../scripts/up/free-port.ts';

/** A real Redis for one test. */
export interface RedisServer {
  readonly port: number;
  /** Contains the password of the first start. */
  readonly url: string;
  readonly pid: number;
  /** Runs one command on a new connection. */
  command(...args: string[]): Promise<unknown>;
  /** Ends it. `start` brings it back with its data, but without what `CONFIG SET` changed. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** @param password replaces the previous one */
  start(password?: string): Promise<void>;
  /** Deletes its data. Only call this while it is down. */
  wipe(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** Required from startup on; set by a command, it would come after others have connected. */
  password?: string;
  /** Command-line options, which override our own. */
  args?: string[];
  env?: Record<string, string>;
  /** A command that `exec`s its arguments, such as `env`, `nice` or `bash -c 'exec "$@"' bash`. */
  launcher?: [command: string, ...args: string[]];
}

/** Starts redis-server (or valkey-server), append-only, on a free loopback port. */
export async function startRedis({
  password: firstPassword = '',
  args: extraArgs = [],
  env = {},
  launcher,
}: RedisOptions = {}): Promise<RedisServer> {
  const binary = redisBinary();
  let port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'lastframe-redis-'));
  let child: ChildProcess | undefined;
  let currentPassword = firstPassword;

  const start = async (password = currentPassword) => {
    currentPassword = password;
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
    args.push('--appendonly', 'yes', '--appendfsync', 'always');
    // By default a primary waits 5 s for more replicas before it lets the first one sync.
    args.push('--repl-diskless-sync-delay', '0');
    if (password) args.push('--requirepass', password);
    args.push(...extraArgs);
    const [command = binary, ...rest] = [...(launcher ?? []), binary, ...args];
    child = spawn(command, rest, { stdio: 'ignore', env: { ...process.env, ...env } });
    await waitUntilReady(urlOf(port, password), child);
  };
  /** Retries, because another process may have taken the free port in the meantime. */
  const startFirst = async (tries = 3): Promise<void> => {
    try {
      await start();
    } catch (error) {
      if (child?.exitCode === null || tries === 1) throw error;
      port = await freePort();
      await startFirst(tries - 1);
    }
  };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  await startFirst();
  return {
    port,
    url: urlOf(port, firstPassword),
    get pid() {
      return child?.pid ?? 0;
    },
    command: (...args) => runCommand(urlOf(port, currentPassword), args),
    kill,
    start,
    wipe: async () => {
      await rm(dir, { recursive: true, force: true });
      await mkdir(dir);
    },
    signal: (signal) => void child?.kill(signal),
    stop: async () => {
      child?.kill('SIGCONT');
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function urlOf(port: number, password: string): string {
  const login = password && `:${encodeURIComponent(password)}@`;
  return `redis://${login}127.0.0.1:${port}`;
}

/**
 * Returns a free port below the range of outgoing connections. One of those would sooner or later
 * take the port of a server that is down, perhaps while trying to reach that very server.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(15_000, 32_000);
  return (await isFree(port)) ? port : await freePort();
}

/** Sends one command on a new connection. */
export async function runCommand(url: string, command: readonly string[]): Promise<unknown> {
  return await withClient(url, (client) => client.sendCommand([...command]));
}

async function withClient<T>(
  url: string,
  work: (client: { sendCommand: (args: string[]) => Promise<T> }) => Promise<T>,
): Promise<T> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client as never);
  } finally {
    client.destroy();
  }
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  // Another process that has the port may never respond.
  const ended = once(child, 'exit').then(() => false);
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    try {
      if (await Promise.race([isThisServer(url, child), ended])) return;
    } catch {
      // not there yet
    }
    await sleep(50);
  }
  throw new Error('redis-server did not respond within 10 s');
}

/** Returns whether this Redis responds, rather than another one that took its port. */
async function isThisServer(url: string, child: ChildProcess): Promise<boolean> {
  const info = await withClient(url, async (client) => {
    await client.sendCommand(['PING']); // rejected while it loads its data
    return await client.sendCommand(['INFO', 'server']);
  });
  return String(info).includes(`process_id:${child.pid}\r`);
}

export function redisBinary(): string {
  for (const name of ['redis-server', 'valkey-server']) {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return name;
    } catch {
      // try the next
    }
  }
  throw new Error('no redis-server or valkey-server on PATH; run `make setup` or install redis');
}
