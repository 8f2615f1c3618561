import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type Api, type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { warmUp } from '../../testing/viewers/viewers.ts';

const INTERVAL_MS = 500;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

/** Opens a viewer on one connection. All its requests are plain, so only the fast path answers. */
async function openViewer(api: Api, camera: string) {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  socket.on('error', () => {}); // it may be closed during a request
  await once(socket, 'connect');
  const closed = once(socket, 'close').then(() => [Buffer.alloc(0)]);
  const target = `/images?url=${encodeURIComponent(camera)}`;
  /** Returns the head of the response; empty once the connection is closed. */
  const requestHead = async () => {
    socket.write(`HEAD ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const [answer] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer];
    return answer.toString('latin1');
  };
  const requestEtag = async () => {
    const head = await requestHead();
    return /^etag: (.*)$/m.exec(head)?.[1] ?? head;
  };
  return { requestHead, requestEtag, close: () => socket.destroy() };
}

it('requests refreshes without the routes, and serves each new frame', async () => {
  fleet = await startFleet({ intervalMs: INTERVAL_MS, delayMs: 50 });
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  const camera = fleet.slow.camera('watched');
  await warmUp([api.url], [camera]);
  const first = await openViewer(api, camera);
  await first.requestEtag(); // the routes learn what this target means on this Host
  first.close();

  const viewer = await openViewer(api, camera);
  const seen = new Set<string>();
  const countSeen = async () => seen.add(await viewer.requestEtag()).size;
  await expect.poll(countSeen, { timeout: 30_000, interval: 20 }).toBeGreaterThanOrEqual(4);
  viewer.close();
  expect([...seen].filter((etag) => !etag.startsWith('"sha256-'))).toEqual([]);
  const { pairs } = await fleet.check();
  expect(pairs).toBeGreaterThanOrEqual(3);
});

it('serves a keep-alive connection until the process has drained, then exits with 0', async () => {
  fleet = await startFleet({ intervalMs: INTERVAL_MS, delayMs: 50 });
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  const camera = fleet.slow.camera('drained');
  await warmUp([api.url], [camera]);
  const [viewer, idle] = [await openViewer(api, camera), await openViewer(api, camera)];
  await Promise.all([viewer.requestEtag(), idle.requestEtag()]);
  // Request continuously: draining is so short that a single request may come too late.
  const heads: string[] = [];
  const requestUntilClosed = async () => {
    for (let head = await viewer.requestHead(); head; head = await viewer.requestHead()) {
      heads.push(head);
    }
  };
  const requesting = requestUntilClosed();
  const ended = api.end('SIGTERM');
  await requesting;
  // Only the last response announced the close: nothing was cut off.
  expect(heads.filter((head) => !/^etag: "sha256-/m.test(head))).toEqual([]);
  expect(heads.findIndex((head) => /^connection: close/im.test(head))).toBe(heads.length - 1);
  expect(await ended).toBe(0);
});
