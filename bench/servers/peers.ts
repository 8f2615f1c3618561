import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../../testing/fleet/child.ts';
import { freePort } from '../../testing/redis/redis-server.ts';
import type { LoadedServer } from '../load/paired-rounds.ts';
import { onCore, pinToCore, SERVER_CORE } from './cores.ts';

/** Another server of the same bytes, for comparison. */
export interface Peer extends LoadedServer {
  stop(): Promise<unknown>;
}

/** The origin behind the peers. Its responses may change at any time. */
export interface PeerOrigin {
  readonly port: number;
  set(path: string, body: Buffer, etag: string, maxAgeS?: number): void;
  close(): void;
}

export async function startOrigin(): Promise<PeerOrigin> {
  const all = new Map<string, { body: Buffer; etag: string; maxAgeS: number }>();
  const server = createServer(({ url = '' }, res) => {
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

/** Starts a bare `node:net` server that replays the api's response to this request. */
export async function startBare(
  apiUrl: string,
  path: string,
  headers: Record<string, string>,
): Promise<Peer> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const child = await startChild(join(import.meta.dirname, 'bare-server.ts'), {
    API_PORT: new URL(apiUrl).port,
    REQUEST: `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines.join('')}\r\n`,
  });
  pinToCore(child.pid, SERVER_CORE);
  const url = `http://127.0.0.1:${child.listening.port}`;
  return { url, pid: child.pid, stop: () => child.end() };
}

/**
 * Starts nginx with `proxy_cache` and one worker, configured by bench/servers/nginx.conf and
 * Debian's `sendfile on`.
 * @param isTuned with everything found to speed up small files: they stay open and are copied
 */
export async function startNginx(originPort: number, { isTuned = false } = {}): Promise<Peer> {
  const files = isTuned ? 'sendfile off; open_file_cache max=1000;' : 'sendfile on;';
  // By default its worker runs as `nobody`, which cannot open files of the benchmark.
  const asRoot = process.getuid?.() === 0 ? ['-g', 'user root;'] : [];
  return await startPeer('nginx.conf', { originPort, files }, (dir) => [
    ...['nginx', '-p', dir, '-c', `${dir}/nginx.conf`],
    ...asRoot,
  ]);
}

/** Starts Varnish with its cache in memory, configured by bench/servers/varnish.vcl. */
export async function startVarnish(originPort: number): Promise<Peer> {
  return await startPeer('varnish.vcl', { originPort }, (dir, port) => [
    ...['varnishd', '-F', '-n', `${dir}/work`, '-a', `127.0.0.1:${port}`],
    ...['-f', `${dir}/varnish.vcl`, '-s', 'malloc,256m', '-T', 'none'],
  ]);
}

async function startPeer(
  configFile: string,
  { originPort, files = '' }: { originPort: number; files?: string },
  commandOf: (dir: string, port: number) => string[],
): Promise<Peer> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'lastframe-peer-'));
  chmodSync(dir, 0o755);
  const template = readFileSync(join(import.meta.dirname, configFile), 'utf8');
  const config = template
    .replaceAll('@DIR@', dir)
    .replaceAll('@PORT@', String(port))
    .replaceAll('@ORIGIN_PORT@', String(originPort))
    .replaceAll('@FILES@', files);
  writeFileSync(join(dir, configFile), config);
  const [command = '', ...args] = commandOf(dir, port);
  const [taskset, ...before] = onCore(SERVER_CORE, command);
  const child = spawn(taskset, [...before, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  // Not left behind when another server fails to start.
  process.once('exit', () => child.kill());
  const url = `http://127.0.0.1:${port}`;
  await untilReady(command, url, child);
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

async function untilReady(command: string, url: string, child: ChildProcess): Promise<void> {
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-2000);
  });
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) break;
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer) return;
    await sleep(50);
  }
  throw new Error(
    `${command} did not start; scripts/setup --with-bench installs it. Its output: ${stderr}`,
  );
}
