import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { type FrontOptions, putInFront } from './connection-fast-path.ts';
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

/** A server that says `node`, behind a front that says `front` to whatever is exactly HIT. */
async function start(
  options: Partial<FrontOptions> & { body?: Buffer; node?: ServerOptions } = {},
) {
  const body = options.body ?? Buffer.from('front');
  const text = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
  const head = { status: 200, headers: [], text };
  const findHit = vi.fn<FindHit>((asked) => (asked === HIT ? { head, body } : undefined));
  const asked: string[] = [];
  server = createServer(options.node ?? {}, ({ url = '' }, res) => {
    asked.push(url);
    res.end('node');
  });
  const front = putInFront(server, { findHit, stalledMs: 60_000, keepAliveMs: 60_000, ...options });
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
  return { front, findHit, asked, open };
}

const soon = { timeout: 10_000 };

it('answers hits, one after the other, without Node’s server', async () => {
  const { asked, open } = await start();
  const viewer = await open();
  for (let n = 1; n <= 3; n += 1) {
    viewer.socket.write(HIT);
    await expect.poll(() => viewer.text.match(/front/g)?.length, soon).toBe(n);
  }
  expect(asked).toEqual([]);
});

it('gives all else away with its connection, for good, and nothing of it is lost', async () => {
  const { asked, findHit, open } = await start();
  const viewer = await open();
  viewer.socket.write(HIT);
  await expect.poll(() => viewer.text, soon).toContain('front');
  viewer.socket.write(OTHER + HIT + OTHER);
  await expect.poll(() => asked, soon).toEqual(['/other', '/hit', '/other']);
  viewer.socket.write(HIT);
  await expect.poll(() => asked.length, soon).toBe(4);
  expect(findHit).toHaveBeenCalledTimes(2);
});

it('reads no more from a viewer that does not take its answers, and cuts it off', async () => {
  const { findHit, open } = await start({ body: Buffer.alloc(16 * MIB), stalledMs: 500 });
  const viewer = await open();
  viewer.socket.pause();
  viewer.socket.write(HIT);
  await expect.poll(() => findHit.mock.calls.length, soon).toBe(1);
  viewer.socket.write(HIT);
  await expect.poll(connections, soon).toBe(0);
  expect(findHit).toHaveBeenCalledTimes(1);
}, 20_000);

it('serves a slow reader all of it, then the next', async () => {
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

it('is told as a request that is too slow when nothing comes at all', async () => {
  const { open } = await start({ stalledMs: 50 });
  const told: string[] = [];
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    told.push(error.code ?? '');
    socket.destroy();
  });
  const viewer = await open();
  await expect.poll(() => viewer.isClosed, soon).toBe(true);
  expect(told).toEqual(['ERR_HTTP_REQUEST_TIMEOUT']);
});

it('keeps a connection between two requests for as long as it should', async () => {
  const { open } = await start({ stalledMs: 50, keepAliveMs: 150 });
  const viewer = await open();
  const startedMs = performance.now();
  viewer.socket.write(HIT);
  await expect.poll(() => viewer.isClosed, soon).toBe(true);
  expect(viewer.text).toContain('front');
  expect(performance.now() - startedMs).toBeGreaterThan(140);
});

it('leaves half a head to Node, which waits for the rest as long as it always does', async () => {
  const { open } = await start({ node: { headersTimeout: 100, connectionsCheckingInterval: 20 } });
  const viewer = await open();
  viewer.socket.write(HIT);
  await expect.poll(() => viewer.text, soon).toContain('front');
  viewer.socket.write(HIT.slice(0, 20));
  await expect.poll(() => viewer.text, soon).toContain('408 Request Timeout');
  await expect.poll(() => viewer.isClosed, soon).toBe(true);
});

it('gives every request away once it is stopped, and ends what is idle when it closes', async () => {
  const { front, asked, open } = await start();
  const [one, other] = [await open(), await open()];
  for (const viewer of [one, other]) {
    viewer.socket.write(HIT);
    await expect.poll(() => viewer.text, soon).toContain('front');
  }
  front.stop();
  one.socket.write(HIT);
  await expect.poll(() => asked, soon).toEqual(['/hit']);
  front.close(60_000);
  await expect.poll(() => other.isClosed, soon).toBe(true);
  expect(one.isClosed).toBe(false);
});

it('ends at its grace even where an answer is not taken', async () => {
  const { front, open } = await start({ body: Buffer.alloc(16 * MIB) });
  const viewer = await open();
  viewer.socket.pause();
  viewer.socket.write(HIT);
  await expect.poll(connections, soon).toBe(1);
  front.close(50);
  await expect.poll(connections, soon).toBe(0);
});

function connections(): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
}
