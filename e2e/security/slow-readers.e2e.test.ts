import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { cameraOf, parseCameraUrl } from '@lastframe/shared/camera';
import { etagOf } from '@lastframe/shared/frame';
import { storeFrame } from '@lastframe/shared/frame-store';
import { keysFor } from '@lastframe/shared/keys';
import { testSource } from '@lastframe/shared/test-camera';
import { createClient } from 'redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, type Fleet, startFleet } from '../support/fleet.ts';
import { residentMiB } from '../support/proc.ts';
import { report } from '../support/report.ts';
import { openEvents } from '../support/streams.ts';

const MIB = 1024 ** 2;
const FRAME_BYTES = 8 * MIB;
const FRAMES = 40;
const BUDGET_BYTES = 32 * MIB;
/** Without a bound the process grows by up to 8 MiB for each frame that a slow client keeps. */
const MOST_MIB = 150;
const patient = { timeout: 60_000 };

let fleet: Fleet;
let api: Api;
let client: ReturnType<typeof createClient>;
let camera: string;
let watching: Awaited<ReturnType<typeof openEvents>> | undefined;
const sockets: Socket[] = [];

beforeAll(async () => {
  const env = { MEMORY_LIMIT: '64MiB', MAX_UNSENT_BYTES: '32MiB', MAX_STREAMS: '1000' };
  fleet = await startFleet({ workers: 0, env });
  api = fleet.apis[0] as Api;
  client = createClient({ url: fleet.redis.url });
  await client.connect();
  await client.configSet('appendonly', 'no');
  camera = fleet.slow.camera('changing');
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  watching?.close();
  client.destroy();
  await fleet.checkAndStop();
});

/** As a worker would. */
async function storeNext(): Promise<string> {
  const bytes = randomBytes(FRAME_BYTES);
  const etag = etagOf(bytes);
  await storeFrame(client as never, keysFor(fleet.redisPrefix), {
    cameraId: cameraOf(parseCameraUrl(camera), testSource()).cameraId,
    bytes,
    contentType: 'image/jpeg',
    etag,
    startedAgoMs: 0,
    capturedAgoMs: 0,
    nextMs: 0,
    staleForMs: 3_600_000,
  });
  return etag;
}

/** An ordinary viewer: what it gets is a whole frame. */
async function seenEtag(): Promise<string> {
  const answer = await api.image(camera);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(answer.headers.get('etag')).toBe(etagOf(bytes));
  return etagOf(bytes);
}

const query = () => `?url=${encodeURIComponent(camera)}`;
const get = (path: string, ...more: string[]) =>
  [`GET ${path}${query()} HTTP/1.1`, 'Host: localhost', ...more, '', ''].join('\r\n');

/** Every way in which a frame leaves the process. */
const WAYS = [
  () => get('/images'),
  () => get('/images', 'Range: bytes=0-'),
  () => get('/images', 'X-Odd: 1'),
  () => get('/images', 'X-Odd: 1') + get('/images') + get('/images'),
  () => get('/stream'),
];

/** Reads a fixed number of bytes each 100 ms. */
function openReader(says: string, bytesPerTurn: number) {
  const seen = { bytes: 0, isClosed: false };
  const callback = (size: number) => {
    seen.bytes += size;
    left -= size;
    return left > 0;
  };
  let left = bytesPerTurn;
  const buffer = Buffer.alloc(Math.min(bytesPerTurn, 64 * 1024));
  const port = Number(new URL(api.url).port);
  const socket = connect({ host: '127.0.0.1', port, onread: { buffer, callback } });
  sockets.push(socket);
  socket.on('error', () => {});
  socket.on('connect', () => socket.write(says));
  const turning = setInterval(() => {
    left = bytesPerTurn;
    socket.resume();
  }, 100);
  socket.on('close', () => {
    clearInterval(turning);
    seen.isClosed = true;
  });
  return seen;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${api.opsUrl}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')[1],
  );
}

it('clients that hardly read, each another frame, cost no more than the budget', async () => {
  await storeNext();
  await seenEtag();
  // While somebody watches, the process reads each frame as soon as it is announced.
  watching = await openEvents(`${api.url}/events${query()}`);
  const before = await residentMiB(api.pid);
  // Slow, but not as slow as the others: 8 MiB in about 5 s. On loopback the kernel takes the first
  // 2.5 MiB at once, and only what comes after them shows how fast a client is.
  const honest = openReader(get('/images'), 160 * 1024);
  await expect.poll(() => honest.bytes, patient).toBeGreaterThan(3.5 * MIB);
  let [mostMiB, mostBytes] = [0, 0];
  for (let n = 0; n < FRAMES; n += 1) {
    const etag = await storeNext();
    await expect.poll(seenEtag, patient).toBe(etag);
    for (const way of WAYS) openReader(way(), 100);
    mostMiB = Math.max(mostMiB, (await residentMiB(api.pid)) - before);
    mostBytes = Math.max(mostBytes, await metric('lastframe_unsent_bytes'));
  }
  const cut = await metric('lastframe_answers_cut_total{cause="budget"}');
  report('slow readers', { mostMiB, mostBytes, cut });
  expect(mostMiB).toBeLessThan(MOST_MIB);
  expect(cut).toBeGreaterThan(0);
  await expect
    .poll(() => metric('lastframe_unsent_bytes'), patient)
    .toBeLessThanOrEqual(BUDGET_BYTES);
  await expect.poll(() => honest.bytes, patient).toBeGreaterThan(FRAME_BYTES);
});
