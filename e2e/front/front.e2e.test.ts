import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type Api, type Fleet, startFleet } from '../../testing/fleet.ts';
import { warmUp } from '../../testing/viewers.ts';

const INTERVAL_MS = 500;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

/** A viewer on one connection, whose requests are all plain: nobody but the front answers him. */
async function openViewer(api: Api, camera: string) {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  socket.on('error', () => {}); // it may be closed while he asks
  await once(socket, 'connect');
  const closed = once(socket, 'close').then(() => [Buffer.alloc(0)]);
  const target = `/images?url=${encodeURIComponent(camera)}`;
  /** The head of the answer; nothing once the connection is closed. */
  const ask = async () => {
    socket.write(`HEAD ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const [answer] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer];
    return answer.toString('latin1');
  };
  const look = async () => {
    const head = await ask();
    return /^etag: (.*)$/m.exec(head)?.[1] ?? head;
  };
  return { ask, look, leave: () => socket.destroy() };
}

it('raises demand by itself, and serves each new frame', async () => {
  fleet = await startFleet({ intervalMs: INTERVAL_MS, delayMs: 50 });
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  const camera = fleet.slow.camera('watched');
  await warmUp([api.url], [camera]);
  const first = await openViewer(api, camera);
  await first.look(); // the routes learn what this target means on this Host
  first.leave();

  const viewer = await openViewer(api, camera);
  const seen = new Set<string>();
  const look = async () => seen.add(await viewer.look()).size;
  await expect.poll(look, { timeout: 30_000, interval: 20 }).toBeGreaterThanOrEqual(4);
  viewer.leave();
  expect([...seen].filter((etag) => !etag.startsWith('"sha256-'))).toEqual([]);
  const { pairs } = await fleet.check();
  expect(pairs).toBeGreaterThanOrEqual(3);
});

it('stays open to a viewer’s kept connection until the process has drained, then ends with 0', async () => {
  fleet = await startFleet({ intervalMs: INTERVAL_MS, delayMs: 50 });
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  const camera = fleet.slow.camera('drained');
  await warmUp([api.url], [camera]);
  const [viewer, idle] = [await openViewer(api, camera), await openViewer(api, camera)];
  await Promise.all([viewer.look(), idle.look()]);
  // One look after another, for it drains for so short a time that a single one may come too late.
  const heads: string[] = [];
  const look = async () => {
    for (let head = await viewer.ask(); head; head = await viewer.ask()) heads.push(head);
  };
  const looking = look();
  const ended = api.end('SIGTERM');
  await looking;
  // The last one came from a process that was closing, and said so: nothing was cut.
  expect(heads.filter((head) => !/^etag: "sha256-/m.test(head))).toEqual([]);
  expect(heads.findIndex((head) => /^connection: close/im.test(head))).toBe(heads.length - 1);
  expect(await ended).toBe(0);
});
