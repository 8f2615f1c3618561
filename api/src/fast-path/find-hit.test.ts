import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { makeRules, type Rules } from '@lastframe/shared/cameras/rules';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import { signatureOf } from '@lastframe/shared/cameras/url-signature';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testCamera, testSource } from '../../../testing/test-camera.ts';
import { createFrameWaiters } from '../lookup/frame-waiters.ts';
import { addCommonHeaders, createApp } from '../routes/app.ts';
import { createLearnedTargets } from '../routes/learned-targets.ts';
import { createPublicServer, type PublicServer } from '../server/public-server.ts';
import { heldFrame, streamParts, testParts } from '../test-support/parts.ts';
import { createFindHit, type Served } from './find-hit.ts';
import { createReadyHeads } from './prepared-heads.ts';

const camera = testCamera('a');
const KEY = 'a key of tests, long enough';
const TARGET = `/images?url=${encodeURIComponent(camera.url)}`;
const rulesOfTest = () =>
  makeRules([testSource()], [{ name: 'north', title: 'North', keepWarm: false, camera }]);
const sockets: Socket[] = [];
let publicServer: PublicServer;

// Else a second may pass between two answers that are compared, and the frame be older by it.
beforeEach(() => {
  const nowMs = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(nowMs);
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const socket of sockets.splice(0)) socket.destroy();
  await publicServer.close({ drainMs: 0, graceMs: 0 });
});

/** The whole public listener, with and without the fast path, and how often the routes were asked. */
async function start({ urlSigningKey = '', basePath = '/', fast = true } = {}) {
  const parts = testParts();
  const { clock, memory } = parts;
  const raise = vi.fn();
  const demand = {
    raise,
    onAnnouncement: vi.fn(),
    recheck: vi.fn(),
    announcedWaitMs: () => 0,
    refusal: () => undefined,
    close: vi.fn(),
  };
  const now: { rules: Rules } = { rules: rulesOfTest() };
  const rules = () => now.rules;
  const knownTargets = createLearnedTargets(rules);
  const coldWait = createFrameWaiters({ ...parts, maxWaiters: 0 });
  const fleetId = { pseudonym: () => 'lastframe-0123456789ab' };
  const common = {
    ...parts,
    ...streamParts(parts, demand),
    demand,
    coldWait,
    fleetId,
    rules,
    urlSigningKey,
    basePath,
  };
  const own = { coldWaitMs: 10, servedBy: 'host-1', wall: new Map() };
  const app = createApp({ ...common, ...own, knownTargets });
  const routes = vi.fn(app.fetch);
  const add = (headers: Headers) => addCommonHeaders(headers, 'host-1');
  const readyHeads = createReadyHeads({ clock, addCommonHeaders: add, keepAliveMs: 65_000 });
  const served: Served[] = [];
  const onServed = (one: Served) => served.push(one);
  const findHit = createFindHit({
    clock,
    memory,
    demand,
    rules,
    knownTargets,
    readyHeads,
    onServed,
  });
  publicServer = createPublicServer(routes, { findHit: fast ? findHit : undefined });
  await once(publicServer.server.listen(0, '127.0.0.1'), 'listening');
  const hold = (over: Parameters<typeof heldFrame>[1] = {}) => {
    const held = heldFrame(camera, { text: 'frame bytes', ...over });
    memory.set(camera.cameraId, held);
    return held;
  };
  return { ...parts, raise, now, routes, served, hold };
}

async function open() {
  const socket = connect((publicServer.server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const ask = async (target = TARGET, { method = 'GET', more = '' } = {}) => {
    socket.write(`${method} ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`);
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString('latin1');
  };
  return { socket, ask };
}

/** On a connection of its own. */
const ask = async (...args: Parameters<Awaited<ReturnType<typeof open>>['ask']>) =>
  await (await open()).ask(...args);

it('is what the routes answer, byte for byte, once they have answered that target', async () => {
  const { hold, routes, served } = await start();
  const { etag } = hold();
  for (const target of [TARGET, '/cameras/north']) {
    for (const how of [{}, { method: 'HEAD' }, { more: `If-None-Match: ${etag}\r\n` }]) {
      // `Accept: `, empty as it is, means nothing to the routes and is odd to the fast path.
      const more = `${how.more ?? ''}Accept: \r\n`;
      const fromRoutes = await ask(target, { ...how, more });
      routes.mockClear();
      const hit = await ask(target, how);
      expect(routes).not.toHaveBeenCalled();
      expect(withoutDate(hit)).toBe(withoutDate(fromRoutes));
    }
  }
  expect(served.map(({ status }) => status)).toEqual([200, 200, 304, 200, 200, 304]);
});

it('is found on connections that the front has given away', async () => {
  const { hold, routes } = await start();
  hold();
  await ask();
  const { ask: askOn } = await open();
  expect(await askOn('/nothing')).toContain(' 404 ');
  routes.mockClear();
  const given = await askOn();
  expect(routes).not.toHaveBeenCalled();
  expect(withoutDate(given)).toBe(withoutDate(await ask()));
});

it('is none without the fast path', async () => {
  const { hold, routes } = await start({ fast: false });
  hold();
  await ask();
  await ask();
  expect(routes).toHaveBeenCalledTimes(2);
});

it('raises demand when the frame is stale, and counts as asked for', async () => {
  const { hold, raise, routes } = await start();
  const held = hold();
  await ask();
  expect(raise).not.toHaveBeenCalled();
  Object.assign(held, { startedMonoMs: held.startedMonoMs - 5001 });
  Object.assign(held, { lastAskedMonoMs: Number.NEGATIVE_INFINITY });
  expect(await ask()).toContain(' 200 OK');
  expect(routes).toHaveBeenCalledTimes(1);
  expect(raise).toHaveBeenCalledWith(camera);
  expect(held.lastAskedMonoMs).toBeGreaterThan(0);
});

it('is never older than what memory has', async () => {
  const { hold, routes } = await start();
  const first = hold();
  await ask();
  expect(await ask()).toContain(first.etag);
  const next = hold({ text: 'another' });
  expect(await ask()).toContain(next.etag);
  expect(await ask(TARGET, { more: `If-None-Match: ${first.etag}\r\n` })).toContain('another');
  // The same bytes, captured again: only their age is another.
  Object.assign(next, { capturedMonoMs: next.capturedMonoMs - 3000 });
  expect(await ask()).toMatch(/^age: 3\r$/m);
  expect(routes).toHaveBeenCalledTimes(1);
});

it('is no answer to who has no frame: an expired one, or one that went', async () => {
  const { hold, memory, routes } = await start();
  const held = hold();
  await ask();
  Object.assign(held, { startedMonoMs: held.startedMonoMs - 86_400_001 });
  expect(await ask()).toContain(' 503 ');
  expect(memory.size).toBe(0);
  expect(routes).toHaveBeenCalledTimes(2);
});

it('forgets all that it knew when the rules change', async () => {
  const { hold, now, routes } = await start();
  hold();
  await ask();
  now.rules = makeRules([testSource({ pattern: new UrlPattern('http://elsewhere.test/*') })]);
  expect(await ask()).toContain(' 403 ');
  now.rules = rulesOfTest();
  expect(await ask()).toContain(' 200 OK');
  expect(routes).toHaveBeenCalledTimes(3);
});

it('needs the signature that the routes have checked, and none that expires', async () => {
  const { hold, routes } = await start({ urlSigningKey: KEY });
  hold();
  const signed = (exp: string) =>
    `${TARGET}&sig=${signatureOf(camera.url, exp, KEY)}${exp && `&exp=${exp}`}`;
  for (const turn of [1, 2]) expect(await ask(signed('')), String(turn)).toContain(' 200 OK');
  expect(routes).toHaveBeenCalledTimes(1);
  const inAnHour = String(1_790_000_000 + 3600);
  for (const turn of [1, 2]) expect(await ask(signed(inAnHour)), String(turn)).toContain(' 200 OK');
  expect(routes).toHaveBeenCalledTimes(3);
  expect(await ask()).toContain(' 403 ');
});

it('is found below the base path, on the same Host only', async () => {
  const { hold, routes } = await start({ basePath: '/cams' });
  hold();
  await ask(`/cams${TARGET}`);
  await ask(`/cams${TARGET}`);
  expect(routes).toHaveBeenCalledTimes(1);
  const { socket } = await open();
  socket.write(`GET /cams${TARGET} HTTP/1.1\r\nHost: b\r\n\r\n`);
  await once(socket, 'data');
  expect(routes).toHaveBeenCalledTimes(2);
});

it('asks every viewer to come back on another connection while the process drains', async () => {
  const { hold } = await start();
  hold();
  const [first, idle] = [await open(), await open()];
  await first.ask();
  await idle.ask();
  const closed = publicServer.close({ drainMs: 1000, graceMs: 60_000 });
  expect(await first.ask()).toMatch(/^Connection: close\r$/m);
  await once(idle.socket, 'close'); // in the grace, not at its end
  await closed;
});

function withoutDate(answer: string): string {
  return answer.replace(/^Date: .*$/m, '');
}
