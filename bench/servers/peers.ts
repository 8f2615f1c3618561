import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../testing/redis/redis-server.ts';
import { onCore, SERVER_CORE } from './cores.ts';

/** Another cache that serves the same bytes, for comparison. */
export interface Peer {
  readonly url: string;
  /** The process that serves requests. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** The origin behind the peers. Its responses may change at any time. */
export interface PeerOrigin {
  readonly port: number;
  set(path: string, body: Buffer, etag: string, maxAgeS?: number): void;
  close(): void;
}

export async function startOrigin(): Promise<PeerOrigin> {
  const all = new Map<string, { body: Buffer; etag: string; maxAgeS: number }>();
  const server: Server = createServer(({ url = '' }, res) => {
    const found = all.get(url);
    if (!found) {
      res.writeHead(404).end();
      return;
    }
    res.writeHead(200, {
      'Content-Type': 'image/jpeg',
      'Content-Length': found.body.length,
      'Cache-Control': `public, max-age=${found.maxAgeS}`,
      ETag: found.etag,
      'Last-Modified': new Date().toUTCString(),
    });
    res.end(found.body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    set: (path, body, etag, maxAgeS = 3600) => void all.set(path, { body, etag, maxAgeS }),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Starts nginx with `proxy_cache` and one worker, configured by bench/servers/nginx.conf and
 * Debian's `sendfile on`.
 * @param isTuned with everything found to speed up small files: they stay open and are copied
 */
export async function startNginx(originPort: number, { isTuned = false } = {}): Promise<Peer> {
  requireCommand('nginx', '-v', 'nginx');
  const files = isTuned ? 'sendfile off; open_file_cache max=1000;' : 'sendfile on;';
  return await startPeer('nginx', { originPort, files }, (dir) => [
    ...['nginx', '-p', dir, '-c', `${dir}/nginx.conf`],
    // By default its worker runs as `nobody`, which cannot open files of the benchmark.
    ...(process.getuid?.() === 0 ? ['-g', 'user root;'] : []),
  ]);
}

/** Starts Varnish with its cache in memory, configured by bench/servers/varnish.vcl. */
export async function startVarnish(originPort: number): Promise<Peer> {
  requireCommand('varnishd', '-V', 'varnish');
  return await startPeer('varnish', { originPort }, (dir, port) => [
    ...[
      'varnishd',
      '-F',
      '-n',
      `${dir}/work`,
      '-a',
      `127.0.0.1:${port}`,
      '-f',
      `${dir}/varnish.vcl`,
    ],
    ...['-s', 'malloc,256m', '-T', 'none'],
  ]);
}

async function startPeer(
  name: 'nginx' | 'varnish',
  { originPort, files = '' }: { originPort: number; files?: string },
  commandOf: (dir: string, port: number) => string[],
): Promise<Peer> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), `lastframe-${name}-`));
  chmodSync(dir, 0o755);
  const file = { nginx: 'nginx.conf', varnish: 'varnish.vcl' }[name];
  const template = readFileSync(join(import.meta.dirname, file), 'utf8');
  const values = {
    DIR: dir,
    PORT: String(port),
    ORIGIN_PORT: String(originPort),
    FILES: files,
  };
  const text = template.replace(/@(\w+)@/g, (_, key: keyof typeof values) => values[key]);
  writeFileSync(join(dir, file), text);
  const [command = '', ...args] = commandOf(dir, port);
  const [taskset, ...before] = onCore(SERVER_CORE, command);
  const child = spawn(taskset, [...before, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(name, url, child);
  return {
    url,
    pid: servingPid(child.pid ?? 0),
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Both have a master process that starts the serving one. */
function servingPid(masterPid: number): number {
  const children = readFileSync(`/proc/${masterPid}/task/${masterPid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]) || masterPid;
}

async function untilReady(name: string, url: string, child: ChildProcess): Promise<void> {
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-2000);
  });
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${stderr}`);
    const responds = await fetch(url).then(
      (answer) => answer.arrayBuffer().then(() => true),
      () => false,
    );
    if (responds) return;
    await sleep(50);
  }
  throw new Error(`${name} did not respond within 10 s: ${stderr}`);
}

function requireCommand(command: string, versionFlag: string, debianPackage: string): void {
  try {
    execFileSync(command, [versionFlag], { stdio: 'ignore' });
  } catch (cause) {
    const advice = `install it (Debian: apt-get install ${debianPackage}), or run scripts/setup --with-bench`;
    throw new Error(`${command} is missing: ${advice}`, { cause });
  }
}
