import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { installFastPath } from '../fast-path/connection-fast-path.ts';
import type { FindHit } from '../fast-path/find-hit.ts';
import { silentLog, testClock } from '../test-support/parts.ts';
import { sentBytes } from './sent-bytes.ts';
import { trackedResponse } from './tracked-response.ts';
import { createUnsentResponses, type UnsentResponsesDeps } from './unsent-responses.ts';

const MIB = 1024 ** 2;
/** More than the kernel buffers for a client that reads nothing. */
const FRAME_BYTES = 12 * MIB;
const soon = { timeout: 20_000 };
const frame = () => Buffer.alloc(FRAME_BYTES, 'x');

/** A server whose responses are tracked, at the routes and, for `/hit`, on the fast path. */
async function start(answer: RequestListener, options: Partial<UnsentResponsesDeps> = {}) {
  const onDisconnect = vi.fn<NonNullable<UnsentResponsesDeps['onDisconnect']>>();
  const unsent = createUnsentResponses({
    clock: testClock,
    minSendRate: 0,
    maxUnsentBytes: 0,
    keptBuffers: () => [],
    onDisconnect,
    log: silentLog,
    windowMs: 1000,
    ...options,
  });
  const server = createServer({ ServerResponse: trackedResponse(unsent) }, answer);
  const body = frame();
  const head = { status: 200, headers: [], text: 'HTTP/1.1 200 OK\r\n\r\n' };
  const findHit: FindHit = (text) => (text.startsWith('GET /hit ') ? { head, body } : undefined);
  installFastPath(server, { findHit, stalledMs: 60_000, keepAliveMs: 60_000, unsent });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    unsent.close();
    server.closeAllConnections();
    server.close();
  });
  const open = (paths = ['/'], { reads = false } = {}) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const client = { socket, received: 0, isClosed: false };
    socket.on('error', () => {});
    socket.on('close', () => {
      client.isClosed = true;
    });
    socket.on('data', (data) => {
      client.received += data.length;
    });
    if (!reads) socket.pause();
    socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    return client;
  };
  return { unsent, onDisconnect, open };
}

it('counts the bytes of a large write while it is in progress', async () => {
  const samples: number[] = [];
  const { open } = await start((req, res) => {
    res.end(Buffer.alloc(32 * MIB));
    const sampling = setInterval(() => samples.push(sentBytes(req.socket)), 1);
    res.on('close', () => clearInterval(sampling));
  });
  const client = open(['/'], { reads: true });
  await expect.poll(() => client.received, soon).toBeGreaterThan(32 * MIB);
  const partly = samples.filter((bytes) => bytes > 0 && bytes < 32 * MIB);
  expect(new Set(partly).size).toBeGreaterThan(2);
});

it.each([
  ['a hit on the fast path', '/hit', undefined],
  [
    'a response',
    '/',
    (bytes: Buffer): RequestListener =>
      (_, res) =>
        res.end(bytes),
  ],
  [
    'a part of a buffer',
    '/',
    (bytes: Buffer): RequestListener =>
      (_, res) =>
        res.end(bytes.subarray(9)),
  ],
  [
    'a stream',
    '/',
    (bytes: Buffer): RequestListener =>
      (_, res) =>
        void res.write(bytes),
  ],
  [
    'text',
    '/',
    (bytes: Buffer): RequestListener =>
      (_, res) =>
        res.end(bytes.toString()),
  ],
])('%s counts until the client has taken it', async (_, path, answer) => {
  const { unsent, open } = await start(answer?.(frame()) ?? ((_, res) => res.end()));
  const client = open([path]);
  await expect.poll(unsent.heldBytes, soon).toBeGreaterThanOrEqual(FRAME_BYTES);
  client.socket.resume();
  await expect.poll(unsent.heldBytes, soon).toBe(0);
  await expect.poll(() => client.received, soon).toBeGreaterThanOrEqual(FRAME_BYTES - 9);
});

it('counts responses queued behind another, and a shared buffer once', async () => {
  const [one, other] = [frame(), frame()];
  const { unsent, open } = await start((req, res) => res.end(req.url === '/one' ? one : other));
  open(['/one', '/other', '/one']);
  await expect.poll(unsent.heldBytes, soon).toBe(2 * FRAME_BYTES);
});

it('disconnects a client below the minimum rate, and serves one above it in full', async () => {
  const bytes = frame();
  const options = { minSendRate: 64 * 1024, windowMs: 400 };
  const { onDisconnect, open } = await start((_, res) => res.end(bytes), options);
  const slow = open();
  const honest = open();
  const reading = setInterval(() => honest.socket.read(), 4);
  onTestFinished(() => clearInterval(reading));
  honest.socket.on('readable', () => {});
  await expect.poll(() => onDisconnect.mock.calls, soon).toEqual([['rate']]);
  await expect.poll(() => honest.received, soon).toBeGreaterThan(FRAME_BYTES);
  expect(slow.received).toBeLessThan(FRAME_BYTES);
});

it('a client that has nothing to take is never too slow', async () => {
  const { unsent, onDisconnect, open } = await start((_, res) => void res.write('x'), {
    minSendRate: 64 * 1024,
    windowMs: 50,
  });
  const idle = open(['/'], { reads: true });
  open(); // its sweeps check the idle one too
  const slow = open(['/hit']);
  await expect.poll(() => onDisconnect.mock.calls, soon).toEqual([['rate']]);
  expect([idle.isClosed, idle.received > 0, unsent.heldBytes()]).toEqual([false, true, 0]);
  slow.socket.destroy();
});

it('disconnects the slowest clients beyond the budget, and serves the others in full', async () => {
  const { unsent, onDisconnect, open } = await start((_, res) => res.end(frame()), {
    maxUnsentBytes: 4 * FRAME_BYTES,
  });
  const honest = open();
  honest.socket.on('readable', () => {});
  const reading = setInterval(() => honest.socket.read(), 4);
  onTestFinished(() => clearInterval(reading));
  await expect.poll(() => honest.received, soon).toBeGreaterThan(FRAME_BYTES / 2);
  for (let n = 0; n < 12; n += 1) open();
  await expect.poll(() => onDisconnect.mock.calls.length, soon).toBeGreaterThanOrEqual(8);
  await expect.poll(unsent.heldBytes, soon).toBeLessThanOrEqual(4 * FRAME_BYTES);
  await expect.poll(() => honest.received, soon).toBeGreaterThan(FRAME_BYTES);
});

it('a crowd that reads one frame slowly costs one frame, and none is disconnected', async () => {
  const bytes = frame();
  const { unsent, onDisconnect, open } = await start((_, res) => res.end(bytes), {
    maxUnsentBytes: 2 * FRAME_BYTES,
  });
  const crowd = Array.from({ length: 15 }, () => open());
  await expect.poll(unsent.heldBytes, soon).toBe(FRAME_BYTES);
  for (const { socket } of crowd) socket.resume();
  const all = () => crowd.filter(({ received }) => received > FRAME_BYTES).length;
  await expect.poll(all, soon).toBe(15);
  expect(onDisconnect).not.toHaveBeenCalled();
});

it('frames that are in memory anyway cost nothing', async () => {
  const kept = Array.from({ length: 10 }, frame);
  let next = 0;
  const { unsent, onDisconnect, open } = await start((_, res) => res.end(kept[next++]), {
    maxUnsentBytes: FRAME_BYTES,
    keptBuffers: () => kept.map(({ buffer }) => buffer),
  });
  const crowd = kept.map(() => open());
  await expect.poll(() => next, soon).toBe(10);
  for (const { socket } of crowd) socket.resume();
  await expect.poll(() => crowd.every(({ received }) => received > FRAME_BYTES), soon).toBe(true);
  expect([unsent.heldBytes(), onDisconnect.mock.calls]).toEqual([0, []]);
});
