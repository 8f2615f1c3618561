import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../testing/redis-server.ts';
import { onCore, SERVER_CORE } from './cores.ts';

/** A cache that others would take, serving the same bytes. */
export interface Peer {
  readonly url: string;
  /** The process that answers. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** What the peers cache: path → bytes. May be changed at any time. */
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
 * nginx with `proxy_cache`, one worker. The configuration is bench/support/nginx.conf, and Debian's
 * `sendfile on`.
 * @param isTuned all that was found to make small files quicker: they stay open, and are copied
 */
export async function startNginx(originPort: number, { isTuned = false } = {}): Promise<Peer> {
  needed('nginx', '-v', 'nginx');
  const files = isTuned ? 'sendfile off; open_file_cache max=1000;' : 'sendfile on;';
  return await startPeer('nginx', { originPort, files }, (dir) => [
    ...['nginx', '-p', dir, '-c', `${dir}/nginx.conf`],
    // Else its worker is nobody and can't open what the bench made.
    ...(process.getuid?.() === 0 ? ['-g', 'user root;'] : []),
  ]);
}

/** Varnish with its cache in memory. The configuration is bench/support/varnish.vcl. */
export async function startVarnish(originPort: number): Promise<Peer> {
  needed('varnishd', '-V', 'varnish');
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
  const filled = {
    DIR: dir,
    PORT: String(port),
    ORIGIN_PORT: String(originPort),
    FILES: files,
  };
  const text = template.replace(/@(\w+)@/g, (_, key: keyof typeof filled) => filled[key]);
  writeFileSync(join(dir, file), text);
  const [command = '', ...args] = commandOf(dir, port);
  const [taskset, ...before] = onCore(SERVER_CORE, command);
  const child = spawn(taskset, [...before, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = `http://127.0.0.1:${port}`;
  await answering(name, url, child);
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

/** Both have a master that starts who answers. */
function servingPid(masterPid: number): number {
  const children = readFileSync(`/proc/${masterPid}/task/${masterPid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]) || masterPid;
}

async function answering(name: string, url: string, child: ChildProcess): Promise<void> {
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-2000);
  });
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${stderr}`);
    const isThere = await fetch(url).then(
      (answer) => answer.arrayBuffer().then(() => true),
      () => false,
    );
    if (isThere) return;
    await sleep(50);
  }
  throw new Error(`${name} did not answer within 10 s: ${stderr}`);
}

function needed(command: string, versionFlag: string, debianPackage: string): void {
  try {
    execFileSync(command, [versionFlag], { stdio: 'ignore' });
  } catch (cause) {
    const advice = `install it (Debian: apt-get install ${debianPackage}), or run scripts/setup --with-bench`;
    throw new Error(`${command} is missing: ${advice}`, { cause });
  }
}
