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
import { appParts, heldFrame, streamParts, testDemand, testParts } from '../test-support/parts.ts';
import { createFindHit, type ServedHit } from './find-hit.ts';
import { createPreparedHeads } from './prepared-heads.ts';

const camera = testCamera('a');
const KEY = 'a key of tests, long enough';
const TARGET = `/images?url=${encodeURIComponent(camera.url)}`;
const rulesOfTest = () =>
  makeRules([testSource()], [{ name: 'north', title: 'North', keepWarm: false, camera }]);
const sockets: Socket[] = [];
let publicServer: PublicServer;

// Stops the clock: if a second passed between two compared responses, their ages would differ.
beforeEach(() => {
  const nowMs = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(nowMs);
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const socket of sockets.splice(0)) socket.destroy();
  await publicServer.close({ drainMs: 0, graceMs: 0 });
});

/** Starts the public server with or without the fast path; `routes` spies on the routes. */
async function start({ urlSigningKey = '', basePath = '/', fast = true } = {}) {
  const parts = testParts();
  const { clock, memory } = parts;
  const demand = testDemand();
  const now: { rules: Rules } = { rules: rulesOfTest() };
  const rules = () => now.rules;
  const learnedTargets = createLearnedTargets(rules);
  const waiters = createFrameWaiters({ ...parts, maxWaiters: 0 });
  const common = {
    ...parts,
    ...streamParts(parts, demand),
    ...appParts,
    demand,
    waiters,
    rules,
    urlSigningKey,
    basePath,
  };
  const app = createApp({ ...common, coldWaitMs: 10, learnedTargets });
  const routes = vi.fn(app.fetch);
  const add = (headers: Headers) => addCommonHeaders(headers, 'host-1');
  const preparedHeads = createPreparedHeads({ clock, addCommonHeaders: add, keepAliveMs: 65_000 });
  const served: ServedHit[] = [];
  const onHit = (one: ServedHit) => served.push(one);
  const findHit = createFindHit({
    clock,
    memory,
    demand,
    rules,
    learnedTargets,
    preparedHeads,
    onHit,
  });
  publicServer = createPublicServer(routes, { findHit: fast ? findHit : undefined });
  await once(publicServer.server.listen(0, '127.0.0.1'), 'listening');
  const hold = (over: Parameters<typeof heldFrame>[1] = {}) => {
    const held = heldFrame(camera, { text: 'frame bytes', ...over });
    memory.set(camera.cameraId, held);
    return held;
  };
  return { ...parts, raise: demand.raise, now, routes, served, hold };
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

/** Sends a request on a connection of its own. */
const ask = async (...args: Parameters<Awaited<ReturnType<typeof open>>['ask']>) =>
  await (await open()).ask(...args);

it('serves the same bytes as the routes once they have served a target', async () => {
  const { hold, routes, served } = await start();
  const { etag } = hold();
  for (const target of [TARGET, '/cameras/north']) {
    for (const options of [{}, { method: 'HEAD' }, { more: `If-None-Match: ${etag}\r\n` }]) {
      // The routes ignore an empty `Accept: `; the fast path leaves it to them.
      const more = `${options.more ?? ''}Accept: \r\n`;
      const fromRoutes = await ask(target, { ...options, more });
      routes.mockClear();
      const hit = await ask(target, options);
      expect(routes).not.toHaveBeenCalled();
      expect(withoutDate(hit)).toBe(withoutDate(fromRoutes));
    }
  }
  expect(served.map(({ status }) => status)).toEqual([200, 200, 304, 200, 200, 304]);
});

it('serves hits on connections that were handed over to Node', async () => {
  const { hold, routes } = await start();
  hold();
  await ask();
  const { ask: askOn } = await open();
  expect(await askOn('/nothing')).toContain(' 404 ');
  routes.mockClear();
  const response = await askOn();
  expect(routes).not.toHaveBeenCalled();
  expect(withoutDate(response)).toBe(withoutDate(await ask()));
});

it('leaves everything to the routes without the fast path', async () => {
  const { hold, routes } = await start({ fast: false });
  hold();
  await ask();
  await ask();
  expect(routes).toHaveBeenCalledTimes(2);
});

it('raises demand for a stale frame, and counts as a request for it', async () => {
  const { hold, raise, routes } = await start();
  const held = hold();
  await ask();
  expect(raise).not.toHaveBeenCalled();
  Object.assign(held, { startedMonoMs: held.startedMonoMs - 5001 });
  Object.assign(held, { lastRequestedMonoMs: Number.NEGATIVE_INFINITY });
  expect(await ask()).toContain(' 200 OK');
  expect(routes).toHaveBeenCalledTimes(1);
  expect(raise).toHaveBeenCalledWith(camera);
  expect(held.lastRequestedMonoMs).toBeGreaterThan(0);
});

it('serves nothing older than memory holds', async () => {
  const { hold, routes } = await start();
  const first = hold();
  await ask();
  expect(await ask()).toContain(first.etag);
  const next = hold({ text: 'another' });
  expect(await ask()).toContain(next.etag);
  expect(await ask(TARGET, { more: `If-None-Match: ${first.etag}\r\n` })).toContain('another');
  // The same bytes, captured again: only their age differs.
  Object.assign(next, { capturedMonoMs: next.capturedMonoMs - 3000 });
  expect(await ask()).toMatch(/^age: 3\r$/m);
  expect(routes).toHaveBeenCalledTimes(1);
});

it('serves no expired frame', async () => {
  const { hold, memory, routes } = await start();
  const held = hold();
  await ask();
  Object.assign(held, { startedMonoMs: held.startedMonoMs - 86_400_001 });
  expect(await ask()).toContain(' 503 ');
  expect(memory.size).toBe(0);
  expect(routes).toHaveBeenCalledTimes(2);
});

it('forgets what it learned when the rules change', async () => {
  const { hold, now, routes } = await start();
  hold();
  await ask();
  now.rules = makeRules([testSource({ pattern: new UrlPattern('http://elsewhere.test/*') })]);
  expect(await ask()).toContain(' 403 ');
  now.rules = rulesOfTest();
  expect(await ask()).toContain(' 200 OK');
  expect(routes).toHaveBeenCalledTimes(3);
});

it('serves a signed URL only if the routes have checked it and it never expires', async () => {
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

it('serves hits below the base path, for the same Host only', async () => {
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

it('closes each connection after its response while the process drains', async () => {
  const { hold } = await start();
  hold();
  const [first, idle] = [await open(), await open()];
  await first.ask();
  await idle.ask();
  const closed = publicServer.close({ drainMs: 1000, graceMs: 60_000 });
  expect(await first.ask()).toMatch(/^Connection: close\r$/m);
  await once(idle.socket, 'close'); // during the grace, not at its end
  await closed;
});

function withoutDate(response: string): string {
  return response.replace(/^Date: .*$/m, '');
}
