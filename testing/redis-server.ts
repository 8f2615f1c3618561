import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';

/** A real Redis of a test's own. */
export interface RedisServer {
  readonly port: number;
  /** With the password it was first started with. */
  readonly url: string;
  readonly pid: number;
  /** Runs one command on a connection of its own. */
  command(...args: string[]): Promise<unknown>;
  /** Ends it; it can be started again with what it had, but for what was set by `CONFIG SET`. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** @param password instead of the one it had */
  start(password?: string): Promise<void>;
  /** Forgets what it had; only while it is ended. */
  wipe(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it and forgets its data. */
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** Asked for from the first moment on; set by a command, it would be after others have connected. */
  password?: string;
  /** Command-line options behind our own, which they override. */
  args?: string[];
  env?: Record<string, string>;
  /** A command that `exec`s what follows it, as `env`, `nice` or a `bash -c 'exec "$@"' bash` do. */
  launcher?: [command: string, ...args: string[]];
}

/** Starts redis-server (or valkey-server) on a free port of loopback, append-only. */
export async function startRedis({
  password: firstPassword = '',
  args: more = [],
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
    args.push(...more);
    const [command = binary, ...rest] = [...(launcher ?? []), binary, ...args];
    child = spawn(command, rest, { stdio: 'ignore', env: { ...process.env, ...env } });
    await answering(urlOf(port, password), child);
  };
  /** Between the look for a free port and the start another process may have taken it. */
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
    command: async (...args) =>
      await withClient(urlOf(port, currentPassword), (client) => client.sendCommand(args)),
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
 * Below the ports that outgoing connections get: one of those would sooner or later take the port of
 * a server that is down, be it the connection of a client that tries to reach that very server.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(15_000, 32_000);
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return await freePort();
  }
  await once(server.close(), 'close');
  return port;
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

async function answering(url: string, child: ChildProcess): Promise<void> {
  // Whoever else has the port may never answer.
  const ended = once(child, 'exit').then(() => false);
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    try {
      if (await Promise.race([answers(url, child), ended])) return;
    } catch {
      // not there yet
    }
    await sleep(50);
  }
  throw new Error('redis-server did not answer within 10 s');
}

/** Whether this Redis itself answers, not another one that took its port. */
async function answers(url: string, child: ChildProcess): Promise<boolean> {
  const info = await withClient(url, async (client) => {
    await client.sendCommand(['PING']); // refused while it loads its data
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
