import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { type FastPathOptions, installFastPath } from './connection-fast-path.ts';
import type { FindHit } from './find-hit.ts';

const HIT = 'GET /hit HTTP/1.1\r\nHost: a\r\n\r\n';
const OTHER = 'GET /other HTTP/1.1\r\nHost: a\r\n\r\n';
const MIB = 1024 ** 2;
const sockets: Socket[] = [];
let server: Server;

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

/** A server that responds `node`, behind a fast path that responds `fast` to exactly HIT. */
async function start(
  options: Partial<FastPathOptions> & { body?: Buffer; node?: ServerOptions } = {},
) {
  const body = options.body ?? Buffer.from('fast');
  const text = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
  const head = { status: 200, headers: [], text };
  const findHit = vi.fn<FindHit>((request) => (request === HIT ? { head, body } : undefined));
  const urlsAtNode: string[] = [];
  server = createServer(options.node ?? {}, ({ url = '' }, res) => {
    urlsAtNode.push(url);
    res.end('node');
  });
  const fastPath = installFastPath(server, {
    findHit,
    stalledMs: 60_000,
    keepAliveMs: 60_000,
    ...options,
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const open = async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    const seen = { socket, text: '', isClosed: false };
    socket.on('data', (data) => {
      seen.text += data.toString('latin1');
    });
    socket.on('close', () => {
      seen.isClosed = true;
    });
    return seen;
  };
  return { fastPath, findHit, urlsAtNode, open };
}

const soon = { timeout: 10_000 };

it('serves hits one after another without Node’s server', async () => {
  const { urlsAtNode, open } = await start();
  const viewer = await open();
  for (let n = 1; n <= 3; n += 1) {
    viewer.socket.write(HIT);
    await expect.poll(() => viewer.text.match(/fast/g)?.length, soon).toBe(n);
  }
  expect(urlsAtNode).toEqual([]);
});

it('hands everything else over with its connection, for good, and loses nothing', async () => {
  const { urlsAtNode, findHit, open } = await start();
  const viewer = await open();
  viewer.socket.write(HIT);
  await expect.poll(() => viewer.text, soon).toContain('fast');
  viewer.socket.write(OTHER + HIT + OTHER);
  await expect.poll(() => urlsAtNode, soon).toEqual(['/other', '/hit', '/other']);
  viewer.socket.write(HIT);
  await expect.poll(() => urlsAtNode.length, soon).toBe(4);
  expect(findHit).toHaveBeenCalledTimes(2);
});

it('stops reading from a client that does not read its responses, and disconnects it', async () => {
  const { findHit, open } = await start({ body: Buffer.alloc(16 * MIB), stalledMs: 500 });
  const viewer = await open();
  viewer.socket.pause();
  viewer.socket.write(HIT);
  await expect.poll(() => findHit.mock.calls.length, soon).toBe(1);
  viewer.socket.write(HIT);
  await expect.poll(connections, soon).toBe(0);
  expect(findHit).toHaveBeenCalledTimes(1);
}, 20_000);

it('serves a slow client its whole response, then the next', async () => {
  const { findHit, open } = await start({ body: Buffer.alloc(16 * MIB, 'x') });
  const viewer = await open();
  viewer.socket.pause();
  viewer.socket.write(HIT);
  await expect.poll(() => findHit.mock.calls.length, soon).toBe(1);
  viewer.socket.write(HIT);
  viewer.socket.resume();
  await expect.poll(() => viewer.text.length, soon).toBeGreaterThan(32 * MIB);
  expect(findHit).toHaveBeenCalledTimes(2);
}, 20_000);

it('reports a connection that sends nothing at all as a request timeout', async () => {
  const { open } = await start({ stalledMs: 50 });
  const errorCodes: string[] = [];
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    errorCodes.push(error.code ?? '');
    socket.destroy();
  });
  const viewer = await open();
  await expect.poll(() => viewer.isClosed, soon).toBe(true);
  expect(errorCodes).toEqual(['ERR_HTTP_REQUEST_TIMEOUT']);
});

it('keeps an idle connection open for the keep-alive time', async () => {
  const { open } = await start({ stalledMs: 50, keepAliveMs: 150 });
  const viewer = await open();
  const startedMs = performance.now();
  viewer.socket.write(HIT);
  await expect.poll(() => viewer.isClosed, soon).toBe(true);
  expect(viewer.text).toContain('fast');
  expect(performance.now() - startedMs).toBeGreaterThan(140);
});

it('leaves a partial head to Node and its usual timeout', async () => {
  const { open } = await start({ node: { headersTimeout: 100, connectionsCheckingInterval: 20 } });
  const viewer = await open();
  viewer.socket.write(HIT);
  await expect.poll(() => viewer.text, soon).toContain('fast');
  viewer.socket.write(HIT.slice(0, 20));
  await expect.poll(() => viewer.text, soon).toContain('408 Request Timeout');
  await expect.poll(() => viewer.isClosed, soon).toBe(true);
});

it('hands over every request once stopped, and closes idle connections when closed', async () => {
  const { fastPath, urlsAtNode, open } = await start();
  const [one, other] = [await open(), await open()];
  for (const viewer of [one, other]) {
    viewer.socket.write(HIT);
    await expect.poll(() => viewer.text, soon).toContain('fast');
  }
  fastPath.stop();
  one.socket.write(HIT);
  await expect.poll(() => urlsAtNode, soon).toEqual(['/hit']);
  fastPath.close(60_000);
  await expect.poll(() => other.isClosed, soon).toBe(true);
  expect(one.isClosed).toBe(false);
});

it('closes after the grace even if a response is unread', async () => {
  const { fastPath, open } = await start({ body: Buffer.alloc(16 * MIB) });
  const viewer = await open();
  viewer.socket.pause();
  viewer.socket.write(HIT);
  await expect.poll(connections, soon).toBe(1);
  fastPath.close(50);
  await expect.poll(connections, soon).toBe(0);
});

function connections(): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
}
