import { makeRules, type NamedCamera } from '@lastframe/shared/cameras/rules';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import { signatureOf } from '@lastframe/shared/cameras/url-signature';
import { parseList, Token } from 'structured-headers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { testCamera, testSource } from '../../../testing/test-camera.ts';
import { createNewCameraLimit } from '../access/new-camera-limit.ts';
import { createMemoryCache } from '../cache/memory-cache.ts';
import { createFrameWaiters } from '../lookup/frame-waiters.ts';
import {
  appParts,
  heldFrame,
  silentLog,
  streamParts,
  testDemand,
  testParts,
} from '../test-support/parts.ts';
import { createApp } from './app.ts';

const camera = testCamera('a', { pattern: new UrlPattern('http://cam.test/*') });
const { cameraId } = camera;
const HOUR_MS = 3_600_000;

beforeEach(() => void vi.useFakeTimers({ now: new Date('2026-09-22T10:00:03Z') }));
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

function partsWith({
  memory = createMemoryCache(1024 ** 2),
  maxWaiters = 10,
  cameras = [] as NamedCamera[],
  urlSigningKey = '',
  basePath = '/',
  newCameraLimit = createNewCameraLimit({ monoMs: () => 0 }, 0),
} = {}) {
  const parts = { ...testParts(), memory };
  const demand = testDemand();
  const waiters = createFrameWaiters({ ...parts, maxWaiters });
  const sources = [testSource({ pattern: new UrlPattern('http://cam.test/*') })];
  const rules = () => makeRules(sources, cameras);
  const deps = {
    ...parts,
    ...streamParts(parts, demand),
    ...appParts,
    demand,
    waiters,
    rules,
    urlSigningKey,
    basePath,
    newCameraLimit,
    coldWaitMs: 15_000,
  };
  const app = createApp(deps);
  const ask = (path: string, init?: RequestInit) => app.request(path, init);
  const image = (init?: RequestInit) => ask(`/images?url=${encodeURIComponent(camera.url)}`, init);
  return { ...deps, app, ask, image };
}

type Parts = ReturnType<typeof partsWith>;

function hold({ memory }: Parts, over: Parameters<typeof heldFrame>[1] = {}) {
  const held = heldFrame(camera, { text: 'frame bytes', ...over });
  memory.set(cameraId, held);
  return held;
}

const headersOf = ({ headers }: Response) => Object.fromEntries(headers);

describe('a frame in memory', () => {
  it('has exactly the documented headers', async () => {
    const parts = partsWith();
    const changedAtMs = Date.UTC(2026, 8, 22, 10);
    hold(parts, { etag: '"sha256-9f86d081884c7d65"', startedAgoMs: 3400, changedAtMs });
    const response = await parts.image();
    expect(response.status).toBe(200);
    expect(headersOf(response)).toEqual({
      'content-type': 'image/jpeg',
      'content-length': '11',
      'accept-ranges': 'bytes',
      etag: '"sha256-9f86d081884c7d65"',
      'last-modified': 'Tue, 22 Sep 2026 10:00:00 GMT',
      age: '3',
      'cache-control': 'public, max-age=5, stale-while-revalidate=5, stale-if-error=86400',
      'cache-status': 'lastframe; hit; ttl=2; detail=memory',
      'access-control-allow-origin': '*',
      'access-control-expose-headers':
        'Accept-Ranges, Age, Allow, Cache-Status, Content-Length, Content-Range, Date, ETag, Last-Modified, Preference-Applied, Proxy-Status, Retry-After, X-Served-By',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-served-by': 'host-1',
    });
    expect(await response.text()).toBe('frame bytes');
  });

  it('has no Last-Modified in the future, even if this clock is behind that of Redis', async () => {
    const parts = partsWith();
    hold(parts, { changedAtMs: Date.UTC(2026, 8, 22, 11) });
    const { headers } = await parts.image();
    expect(headers.get('last-modified')).toBe('Tue, 22 Sep 2026 10:00:03 GMT');
  });

  it('raises no demand while fresh, and is served without reading Redis', async () => {
    const parts = partsWith();
    hold(parts, { startedAgoMs: 4999 });
    await parts.image();
    expect(parts.demand.raise).not.toHaveBeenCalled();
    expect(parts.reader.read).not.toHaveBeenCalled();
  });

  it('is served at once when stale, and raises demand', async () => {
    const parts = partsWith();
    hold(parts, { startedAgoMs: HOUR_MS, capturedAgoMs: 47_000 });
    const response = await parts.image();
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-status')).toBe('lastframe; hit; ttl=-42; detail=memory');
    expect(parts.demand.raise).toHaveBeenCalledOnce();
    expect(parts.reader.read).not.toHaveBeenCalled();
  });

  it('is served at once when a newer one may exist, and raises demand', async () => {
    const parts = partsWith();
    hold(parts, { startedAgoMs: 1000, mayBeOutdated: true });
    expect((await parts.image()).status).toBe(200);
    expect(parts.demand.raise).toHaveBeenCalledOnce();
  });

  it('is served while no worker is alive and Redis is down', async () => {
    const parts = partsWith();
    parts.fleet.closed = 'no worker is alive';
    parts.reader.read.mockRejectedValue(new Error('away'));
    hold(parts, { startedAgoMs: HOUR_MS });
    expect((await parts.image()).status).toBe(200);
  });

  it('is dropped once it has expired', async () => {
    const parts = partsWith();
    hold(parts, { startedAgoMs: 24 * HOUR_MS + 1 });
    void parts.image();
    await expect.poll(() => parts.demand.raise).toHaveBeenCalledOnce();
    expect(parts.memory.has(cameraId)).toBe(false);
  });

  it('records when it was last requested', async () => {
    const parts = partsWith();
    const held = hold(parts);
    await parts.image();
    expect(held.lastRequestedMonoMs).toBe(parts.clock.monoMs());
  });
});

describe('a named camera', () => {
  const named = {
    name: 'gate',
    title: 'Gate',
    keepWarm: false,
    camera: { ...camera, name: 'gate' },
  };

  it.each(['GET', 'HEAD'])(
    'is served by %s like its image, without revealing its URL',
    async (method) => {
      const parts = partsWith({ cameras: [named] });
      hold(parts);
      const [byName, byUrl] = [
        await parts.ask('/cameras/gate', { method }),
        await parts.image({ method }),
      ];
      expect(byName.status).toBe(200);
      expect(headersOf(byName)).toEqual(headersOf(byUrl));
      expect(await byName.text()).toBe(method === 'HEAD' ? '' : 'frame bytes');
      expect(JSON.stringify(headersOf(byName))).not.toContain('cam.test');
    },
  );

  it('raises demand under its name, even when requested by URL', async () => {
    const parts = partsWith({ cameras: [named] });
    hold(parts, { startedAgoMs: HOUR_MS });
    await parts.image();
    expect(parts.demand.raise).toHaveBeenCalledWith(named.camera);
  });

  it.each(['/cameras/other', '/cameras/__proto__', '/cameras/%2e%2e'])(
    'that does not exist gets 404: %s',
    async (path) => {
      const response = await partsWith({ cameras: [named] }).ask(path);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    },
  );

  it('accepts only GET and HEAD', async () => {
    const response = await partsWith({ cameras: [named] }).ask('/cameras/gate', { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});

describe('a signed URL', () => {
  const key = 'a key of 16 bytes or more';
  const exp = (inS: number) => String(Math.floor(1_790_000_000 + performance.now() / 1000) + inS);
  const signed = (parts: Parts, query: Record<string, string>) =>
    parts.ask(`/images?${new URLSearchParams({ url: camera.url, ...query })}`);

  it('is served with a signature of the URL as written, canonical or not', async () => {
    const parts = partsWith({ urlSigningKey: key });
    hold(parts);
    const url = 'HTTP://CAM.test:80/%61.jpg#x';
    const response = await signed(parts, { url, sig: signatureOf(url, '', key) });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toContain('max-age=5, stale');
  });

  it('is cached no longer than its signature is valid', async () => {
    const parts = partsWith({ urlSigningKey: key });
    hold(parts, { startedAgoMs: 1000 });
    const ask = async (inS: number) => {
      const end = exp(inS);
      const { headers } = await signed(parts, { exp: end, sig: signatureOf(camera.url, end, key) });
      return [headers.get('cache-control'), headers.get('cache-status')];
    };
    expect(await ask(3600)).toEqual([
      'public, max-age=5, stale-while-revalidate=5, stale-if-error=3595',
      'lastframe; hit; ttl=4; detail=memory',
    ]);
    expect(await ask(3)).toEqual([
      'public, max-age=3, stale-while-revalidate=0, stale-if-error=0',
      'lastframe; hit; ttl=2; detail=memory',
    ]);
  });

  it('ends a wait for a frame when its signature expires', async () => {
    const parts = partsWith({ urlSigningKey: key });
    const { etag } = hold(parts);
    const end = exp(3);
    const query = new URLSearchParams({
      url: camera.url,
      exp: end,
      sig: signatureOf(camera.url, end, key),
    });
    const headers = { Prefer: 'wait=60', 'If-None-Match': etag };
    const answer = parts.ask(`/images?${query}`, { headers });
    await vi.advanceTimersByTimeAsync(3000);
    const response = await answer;
    expect(response.status).toBe(304);
    expect(response.headers.get('preference-applied')).toMatch(/^wait=[23]$/);
    expect(response.headers.get('cache-control')).toMatch(/max-age=[01],/);
  });

  it.each([
    ['no signature', {}],
    ['an empty signature', { sig: '' }],
    ['the signature of another URL', { sig: signatureOf('http://cam.test/b.jpg', '', key) }],
    ['the signature of another key', { sig: signatureOf(camera.url, '', `${key}!`) }],
    ['another spelling of it', { sig: `${signatureOf(camera.url, '', key)}=` }],
    ['an unsigned expiry', { sig: signatureOf(camera.url, '', key), exp: '99999999999' }],
    ['a removed expiry', { sig: signatureOf(camera.url, '99999999999', key) }],
    ['an expiry in the past', { sig: signatureOf(camera.url, '1', key), exp: '1' }],
    ['a malformed expiry', { sig: signatureOf(camera.url, '1e99', key), exp: '1e99' }],
  ])('gets 403 for %s, and raises no demand', async (_, query) => {
    const parts = partsWith({ urlSigningKey: key });
    const response = await signed(parts, query as Record<string, string>);
    expect(response.status).toBe(403);
    expect(await response.text()).toMatch(/signature/);
    expect(parts.demand.raise).not.toHaveBeenCalled();
  });

  it('gets 400 for a second signature or expiry besides the valid one', async () => {
    const parts = partsWith({ urlSigningKey: key });
    hold(parts);
    const query = new URLSearchParams({ url: camera.url, sig: signatureOf(camera.url, '', key) });
    for (const more of ['sig=x', 'exp=1&exp=2']) {
      expect((await parts.ask(`/images?${query}&${more}`)).status).toBe(400);
    }
  });

  it('is not required for a named camera', async () => {
    const named = { name: 'gate', title: '', keepWarm: false, camera: { ...camera, name: 'gate' } };
    const parts = partsWith({ urlSigningKey: key, cameras: [named] });
    hold(parts);
    expect((await parts.ask('/cameras/gate')).status).toBe(200);
  });
});

describe('a client over its limit of new cameras', () => {
  it('gets 503 with Retry-After, raises no demand, and still gets existing frames', async () => {
    const parts = partsWith({ newCameraLimit: createNewCameraLimit({ monoMs: () => 0 }, 1) });
    void parts.image();
    await expect.poll(() => parts.demand.raise).toHaveBeenCalledOnce();
    const response = await parts.ask('/images?url=http://cam.test/other.jpg');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60']);
    expect(parts.demand.raise).toHaveBeenCalledOnce();
    hold(parts);
    expect((await parts.image()).status).toBe(200);
  });
});

describe('behind a reverse proxy that mounts the app at /cams', () => {
  it.each([
    ['/cams/images', 400],
    ['/images', 400],
    ['/cams/cams/images', 404],
    ['/camsimages', 404],
    ['/cams', 308],
  ])('%s gets %d', async (path, status) => {
    expect((await partsWith({ basePath: '/cams' }).ask(path)).status).toBe(status);
  });
});

describe('conditions and methods', () => {
  it.each([
    [{ 'If-None-Match': '"x", W/"same"' }],
    [{ 'If-Modified-Since': 'Tue, 22 Sep 2026 10:00:00 GMT' }],
  ])('%j gets 304 with the cache headers and no body', async (headers) => {
    const parts = partsWith();
    hold(parts, { etag: '"same"', startedAgoMs: 3000, changedAtMs: Date.UTC(2026, 8, 22, 10) });
    const response = await parts.image({ headers });
    expect(response.status).toBe(304);
    expect(await response.text()).toBe('');
    const all = headersOf(await parts.image());
    const { 'content-type': _, 'content-length': __, ...repeated } = all;
    expect(headersOf(response)).toEqual(repeated);
  });

  it('an unmet condition gets the whole frame', async () => {
    const parts = partsWith();
    hold(parts, { etag: '"same"' });
    const response = await parts.image({ headers: { 'If-None-Match': '"other"' } });
    expect([response.status, await response.text()]).toEqual([200, 'frame bytes']);
  });

  it.each([
    ['bytes=0-4', 206, 'bytes 0-4/11', 'frame'],
    ['bytes=6-', 206, 'bytes 6-10/11', 'bytes'],
    ['bytes=-5', 206, 'bytes 6-10/11', 'bytes'],
    ['bytes=0-100', 206, 'bytes 0-10/11', 'frame bytes'],
    ['bytes=0-1,3-4', 200, null, 'frame bytes'],
    ['nonsense', 200, null, 'frame bytes'],
  ])('Range: %s gets %d', async (Range, status, contentRange, body) => {
    const parts = partsWith();
    hold(parts);
    const response = await parts.image({ headers: { Range } });
    expect([response.status, await response.text()]).toEqual([status, body]);
    const rest = headersOf(await parts.image());
    const of = contentRange === null ? {} : { 'content-range': contentRange };
    expect(headersOf(response)).toEqual({ ...rest, ...of, 'content-length': `${body.length}` });
  });

  it('a range outside the frame gets 416 with its size, and is still a hit', async () => {
    const parts = partsWith();
    hold(parts);
    const response = await parts.image({ headers: { Range: 'bytes=11-' } });
    expect(response.status).toBe(416);
    expect(headersOf(response)).toMatchObject({
      'content-range': 'bytes */11',
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'cache-status': 'lastframe; hit; ttl=5; detail=memory',
    });
    expect(await response.json()).toMatchObject({ status: 416, instance: '/images' });
  });

  it.each([
    ['the current ETag', { 'If-Range': '"same"' }, 206],
    ['the current date', { 'If-Range': 'Tue, 22 Sep 2026 10:00:00 GMT' }, 206],
    ['another ETag', { 'If-Range': '"other"' }, 200],
    ['a weak ETag', { 'If-Range': 'W/"same"' }, 200],
    ['a later date', { 'If-Range': 'Tue, 22 Sep 2026 10:00:01 GMT' }, 200],
    ['an ETag that the client has', { 'If-Range': '"same"', 'If-None-Match': '"same"' }, 304],
    ['an ETag that the client lacks', { 'If-Range': '"same"', 'If-None-Match': '"other"' }, 206],
  ])('a range with %s (%j) gets %d', async (_, headers, status) => {
    const parts = partsWith();
    hold(parts, { etag: '"same"', changedAtMs: Date.UTC(2026, 8, 22, 10) });
    const response = await parts.image({ headers: { Range: 'bytes=0-4', ...headers } });
    expect(response.status).toBe(status);
  });

  it('HEAD ignores ranges, as HTTP requires', async () => {
    const parts = partsWith();
    hold(parts);
    const head = await parts.image({ method: 'HEAD', headers: { Range: 'bytes=0-4' } });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '11']);
  });

  it('HEAD equals GET without the body', async () => {
    const parts = partsWith();
    hold(parts);
    const [get, head] = [await parts.image(), await parts.image({ method: 'HEAD' })];
    expect([head.status, headersOf(head)]).toEqual([200, headersOf(get)]);
    expect(head.headers.get('content-length')).toBe('11');
    expect(await head.text()).toBe('');
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('%s gets 405 with Allow', async (method) => {
    const parts = partsWith();
    const response = await parts.image({ method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect(await response.json()).toMatchObject({ status: 405, instance: '/images' });
  });

  it('OPTIONS answers a preflight request, and raises no demand', async () => {
    const parts = partsWith();
    const response = await parts.image({
      method: 'OPTIONS',
      headers: { Origin: 'https://elsewhere.test', 'Access-Control-Request-Method': 'GET' },
    });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(headersOf(response)).toMatchObject({
      allow: 'GET, HEAD, OPTIONS',
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers':
        'Accept, Cache-Control, If-Modified-Since, If-None-Match, If-Range, Last-Event-ID, Prefer, Range',
      'access-control-max-age': '86400',
      'cache-status': 'lastframe; detail=generated',
    });
    expect(parts.demand.raise).not.toHaveBeenCalled();
  });
});

describe('a bad request', () => {
  it.each([
    ['/images', /^url is missing; use \/images\?url=<URL of the image>$/],
    ['/images?camera=a', /^url is missing; use \/images\?url=<URL of the image>$/],
    ['/images?url=', /^url is empty/],
    ['/images?url=http://cam.test/a&url=http://cam.test/b', /^url is given more than once/],
    ['/images?url=nonsense', /^url must be an absolute/],
    ['/images?url=%zz', /^url must be an absolute/],
    ['/images?url=http://cam.test/a%20b', /^url has a space/],
    [`/images?url=http://cam.test/${'x'.repeat(4096)}`, 'url is longer than 4096 bytes'],
    ['/images?url=http://cam.test/a+b', /a \+, write %2B/],
    ['/images?url=http://me:s3cret@cam.test/', /auth: for the source in SOURCES_FILE/],
    ['/images?url=ftp://cam.test/i', /^url must begin with http:\/\/ or https:\/\//],
    ['/images?url=rtsp://me:s3cret@cam.test/i', /put go2rtc or another gateway in front/],
    ['/images?url=http%253A%252F%252Fcam.test%252Fi', /percent-encoded twice/],
    ['/images?url=http://cam.test/a?user=me&pwd=s3cret', /%26/],
  ])('%s gets 400 with the reason', async (path, detail) => {
    const { ask } = partsWith();
    const response = await ask(path);
    const body = await response.text();
    expect(response.status).toBe(400);
    expect(JSON.parse(body)).toEqual({
      type: 'urn:lastframe:problem:invalid-url',
      title: 'Bad request',
      status: 400,
      detail: expect.stringMatching(detail),
      instance: '/images',
    });
    expect(body).not.toContain('s3cret');
    expect(headersOf(response)).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
      'x-served-by': 'host-1',
    });
  });

  it('with too long a target gets 414', async () => {
    const { ask } = partsWith();
    const response = await ask(`/images?x=${'x'.repeat(14 * 1024)}`);
    expect([response.status, response.headers.get('cache-control')]).toEqual([414, 'no-store']);
    expect(await response.json()).toMatchObject({ status: 414, instance: '/images' });
  });

  it('for a camera that no source allows gets 403, without a read or demand', async () => {
    const { ask, reader, demand } = partsWith();
    const response = await ask('/images?url=http://169.254.169.254/latest/meta-data');
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ title: 'Not allowed', instance: '/images' });
    expect(reader.read).not.toHaveBeenCalled();
    expect(demand.raise).not.toHaveBeenCalled();
  });

  it.each(['/', '/image', '/images/', '/images/a.jpg'])('%s gets 404', async (path) => {
    const { ask } = partsWith();
    const response = await ask(path);
    expect([response.status, response.headers.get('cache-control')]).toEqual([404, 'no-store']);
    expect(await response.json()).toMatchObject({ status: 404, instance: path });
  });

  it('is not one with unknown parameters', async () => {
    const parts = partsWith();
    hold(parts);
    const path = `/images?t=1&url=${encodeURIComponent(camera.url)}&t=2&foo=3`;
    expect((await parts.ask(path)).status).toBe(200);
  });

  it('is one with parameters that were meant for the camera, below any path', async () => {
    const { ask, demand } = partsWith({ basePath: '/cams' });
    const response = await ask('/cams/images?url=http://cam.test/a?user=me&pwd=s3cret');
    const body = await response.text();
    expect(response.status).toBe(400);
    expect(JSON.parse(body).detail).toContain(
      '/cams/images?url=http%3A%2F%2Fcam.test%2Fa%3Fuser%3D…%26pwd%3D…',
    );
    expect(body).not.toContain('s3cret');
    expect(demand.raise).not.toHaveBeenCalled();
  });
});

it('a cache-buster makes no other camera, in the URL or beside it', async () => {
  const parts = partsWith();
  hold(parts);
  const at = encodeURIComponent(camera.url);
  for (const query of [
    `${at}%3Ft%3D10`,
    `${at}?t=11`,
    `${at}?1764413962123`,
    `${at}&t=1`,
    `${at}?_=1&rand=0.5`,
  ]) {
    const { status, headers } = await parts.ask(`/images?url=${query}`);
    expect([status, headers.get('cache-status')], query).toEqual([
      200,
      expect.stringContaining('detail=memory'),
    ]);
  }
});

describe('a frame that is not in memory', () => {
  it('is served from Redis', async () => {
    const parts = partsWith();
    parts.stored.held = heldFrame(camera, { startedAgoMs: 1000 });
    const response = await parts.image();
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-status')).toBe('lastframe; hit; ttl=4; detail=redis');
    expect(parts.demand.raise).not.toHaveBeenCalled();
    expect(parts.waiters.waiting()).toBe(0);
    expect(parts.stored.held.lastRequestedMonoMs).toBe(parts.clock.monoMs());
  });

  it('raises demand when stale in Redis, even if it does not fit in memory', async () => {
    const parts = partsWith({ memory: createMemoryCache(1) });
    parts.stored.held = heldFrame(camera, { startedAgoMs: 6000 });
    expect((await parts.image()).status).toBe(200);
    expect(parts.demand.raise).toHaveBeenCalledOnce();
  });

  it('is waited for when Redis has none, and later requests join the wait', async () => {
    const parts = partsWith();
    const answers = [parts.image(), parts.image()];
    await expect.poll(() => parts.demand.raise).toHaveBeenCalledTimes(2);
    const held = heldFrame(camera);
    parts.waiters.wake(held);
    const statuses = (await Promise.all(answers)).map(({ headers }) => headers.get('cache-status'));
    expect(statuses).toEqual([
      'lastframe; fwd=uri-miss; stored',
      'lastframe; fwd=uri-miss; collapsed',
    ]);
    expect(held.lastRequestedMonoMs).toBe(parts.clock.monoMs());
    expect(parts.waiters.waiting()).toBe(0);
  });

  it('is not missed when it arrives during the read', async () => {
    const parts = partsWith();
    const read = Promise.withResolvers<object>();
    parts.reader.read.mockReturnValueOnce(read.promise);
    const answer = parts.image();
    await expect.poll(() => parts.reader.read).toHaveBeenCalled();
    parts.waiters.wake(heldFrame(camera));
    read.resolve({});
    expect((await answer).status).toBe(200);
  });

  it.each([
    [502, 'camera-failed', 'The camera failed', 'connection_refused'],
    [504, 'camera-timed-out', 'The camera timed out', 'connection_timeout'],
  ] as const)(
    'gets %d at once after a failure that is remembered',
    async (status, code, title, error) => {
      const parts = partsWith();
      parts.stored.failure = { status, reason: 'the camera said no', error, nextMs: 4200 };
      const response = await parts.image();
      expect(response.headers.get('proxy-status')).toBe(`lastframe; error=${error}`);
      expect(response.headers.get('cache-status')).toBe(`lastframe; fwd=uri-miss; detail=${code}`);
      expect([response.status, response.headers.get('retry-after')]).toEqual([status, '5']);
      expect(await response.json()).toEqual({
        type: `urn:lastframe:problem:${code}`,
        title,
        status,
        detail: 'the camera said no',
        instance: '/images',
      });
      expect(parts.demand.raise).toHaveBeenCalledOnce();
      expect(parts.waiters.waiting()).toBe(0);
    },
  );

  it('gets 403 without Retry-After when the worker rejected the address', async () => {
    const parts = partsWith();
    parts.stored.failure = { status: 403, reason: 'this address may not be called', nextMs: 1 };
    const response = await parts.image();
    expect([response.status, response.headers.get('retry-after')]).toEqual([403, null]);
  });

  it('gets the failure that is announced during the wait', async () => {
    const parts = partsWith();
    const answer = parts.image();
    await expect.poll(() => parts.demand.raise).toHaveBeenCalled();
    const failure = { kind: 'failure', status: 504, reason: 'late', nextMs: 9000 } as const;
    parts.waiters.onAnnouncement({ v: 1, cameraId, ...failure });
    const response = await answer;
    expect([response.status, response.headers.get('retry-after')]).toEqual([504, '9']);
  });

  it('gets 503 with the wait for a permit when none is free in time', async () => {
    const parts = partsWith();
    const answer = parts.image();
    await expect.poll(() => parts.demand.raise).toHaveBeenCalled();
    parts.waiters.onAnnouncement({ v: 1, cameraId, kind: 'wait', reason: 'hold', inMs: 20_500 });
    const response = await answer;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '21']);
  });

  it.each([
    ['places', 'this source has reached its limit of cameras; try again later'],
    ['memory', 'no memory left for new cameras; try again later'],
  ] as const)(
    'gets 503 with the reason when the fleet accepts no new cameras (%s), also the next time',
    async (reason, detail) => {
      const parts = partsWith();
      const answer = parts.image();
      await vi.waitFor(() => expect(parts.demand.raise).toHaveBeenCalled());
      parts.waiters.onAnnouncement({ v: 1, cameraId, kind: 'wait', reason, inMs: 10_000 });
      parts.demand.rejection.mockReturnValue(reason);
      parts.demand.announcedWaitMs.mockReturnValue(10_000);
      for (const response of [await answer, await parts.image()]) {
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
        expect(await response.json()).toMatchObject({
          type: 'urn:lastframe:problem:too-many-cameras',
          detail,
        });
      }
      expect(parts.demand.raise).toHaveBeenCalledOnce();
    },
  );

  it('gets 503 at once, and raises no demand, when too many others wait for their first call', async () => {
    const parts = partsWith();
    parts.demand.newCameraWaitMs.mockReturnValue(7500);
    const response = await parts.image();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '8']);
    expect(await response.json()).toMatchObject({
      detail: expect.stringMatching(/more new cameras/),
    });
    expect(parts.demand.raise).not.toHaveBeenCalled();
  });

  it('gets 503 when the wait times out', async () => {
    const parts = partsWith();
    parts.demand.announcedWaitMs.mockReturnValue(3100);
    const answer = parts.image();
    await vi.advanceTimersByTimeAsync(15_000);
    const response = await answer;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '4']);
    expect(parts.waiters.waiting()).toBe(0);
  });

  it('gets 503 when too many requests wait, but is still served from Redis', async () => {
    const parts = partsWith({ maxWaiters: 1 });
    void parts.image();
    await expect.poll(() => parts.waiters.waiting()).toBe(1);
    const response = await parts.image();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(parts.demand.raise).toHaveBeenCalledOnce(); // by the waiting request
    parts.stored.held = heldFrame(camera);
    expect((await parts.image()).status).toBe(200);
  });

  it('soon gets 503 with the reason when no worker can call the camera', async () => {
    const parts = partsWith();
    parts.fleet.closed = 'no worker is alive';
    const answer = parts.image();
    await vi.advanceTimersByTimeAsync(3000);
    const response = await answer;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining('no worker is alive'),
    });
    expect(parts.waiters.waiting()).toBe(0);
  });

  it('is waited for when a worker soon appears', async () => {
    const parts = partsWith();
    parts.fleet.closed = 'no worker is alive';
    const answer = parts.image();
    await vi.advanceTimersByTimeAsync(1000);
    parts.fleet.closed = undefined;
    await vi.advanceTimersByTimeAsync(5000);
    parts.waiters.wake(heldFrame(camera));
    expect((await answer).status).toBe(200);
  });

  it('gets 503 without internals when Redis cannot be read', async () => {
    const parts = partsWith();
    parts.reader.read.mockRejectedValue(new Error('connect ECONNREFUSED 10.0.0.7:6379'));
    const answer = parts.image();
    await vi.advanceTimersByTimeAsync(4000);
    const response = await answer;
    const body = await response.text();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(body).not.toMatch(/ECONN|10\.0\.0\.7|at |node_modules/);
    expect(parts.waiters.waiting()).toBe(0);
  });

  it('is retried for a while when Redis is briefly slow or down', async () => {
    const parts = partsWith();
    parts.stored.held = heldFrame(camera);
    for (let n = 0; n < 4; n += 1) parts.reader.read.mockRejectedValueOnce(new Error('late'));
    const answer = parts.image();
    await vi.advanceTimersByTimeAsync(2000);
    expect((await answer).status).toBe(200);
  });

  it('is not retried for a client that does not wait, or when too many requests wait', async () => {
    const parts = partsWith({ maxWaiters: 0 });
    parts.reader.read.mockRejectedValue(new Error('away'));
    expect((await parts.image()).status).toBe(503);
    const hasty = partsWith();
    hasty.reader.read.mockRejectedValue(new Error('away'));
    const answer = await hasty.image({ headers: { Prefer: 'respond-async' } });
    expect(answer.status).toBe(503);
    for (const { read } of [parts.reader, hasty.reader]) expect(read).toHaveBeenCalledTimes(1);
  });

  it('is not retried after the client has left', async () => {
    const parts = partsWith();
    parts.reader.read.mockRejectedValue(new Error('away'));
    const viewer = new AbortController();
    const left = parts.image({ signal: viewer.signal });
    await vi.advanceTimersByTimeAsync(100);
    viewer.abort();
    await left;
    expect(parts.reader.read).toHaveBeenCalledTimes(1);
    expect(parts.waiters.waiting()).toBe(0);
  });

  it('is no longer waited for after the client has left', async () => {
    const parts = partsWith();
    const viewer = new AbortController();
    void parts.image({ signal: viewer.signal });
    await expect.poll(() => parts.demand.raise).toHaveBeenCalled();
    viewer.abort();
    await expect.poll(() => parts.waiters.waiting()).toBe(0);
  });
});

it('rejects a request from this fleet as a loop, and serves another fleet', async () => {
  const parts = partsWith();
  hold(parts, { startedAgoMs: HOUR_MS });
  const ours = await parts.image({ headers: { Via: '1.1 lastframe-0123456789ab' } });
  expect([ours.status, ours.headers.get('proxy-status')]).toEqual([
    508,
    'lastframe; error=proxy_loop_detected',
  ]);
  expect(await ours.json()).toMatchObject({ status: 508, instance: '/images' });
  expect(parts.demand.raise).not.toHaveBeenCalled();
  const theirs = await parts.image({ headers: { Via: '1.1 lastframe-ba9876543210' } });
  expect(theirs.status).toBe(200);
});

describe('Prefer', () => {
  it('wait does not return a frame that was purged in the meantime', async () => {
    const parts = partsWith();
    const { etag } = hold(parts);
    const answer = parts.image({ headers: { Prefer: 'wait=5', 'If-None-Match': etag } });
    await vi.advanceTimersByTimeAsync(1000);
    parts.memory.delete(cameraId);
    await vi.advanceTimersByTimeAsync(5000);
    expect((await answer).status).toBe(503);
  });

  const seen = '"seen"';
  const poll = (parts: Parts, prefer = 'wait=20', init: RequestInit = {}) =>
    parts.image({ ...init, headers: { Prefer: prefer, 'If-None-Match': seen } });
  const applied = ({ headers }: Response) => headers.get('preference-applied');

  it('wait gets the next new frame as soon as it arrives', async () => {
    const parts = partsWith();
    hold(parts, { etag: seen });
    const answer = poll(parts);
    await expect.poll(() => parts.waiters.waiting()).toBe(1);
    // Even while the frame is fresh: the camera is watched when it is due.
    expect(parts.demand.raise).toHaveBeenCalledOnce();
    expect(parts.presence.isPresent(cameraId)).toBe(true);
    parts.waiters.wake(hold(parts, { etag: '"next"' }));
    const response = await answer;
    expect([response.status, response.headers.get('etag')]).toEqual([200, '"next"']);
    expect([applied(response), response.headers.get('cache-status')]).toEqual([
      'wait=20',
      'lastframe; hit; ttl=5; detail=memory',
    ]);
    expect(parts.presence.isPresent(cameraId)).toBe(false);
  });

  it.each([
    ['wait=20', 20],
    ['wait=60', 60],
    ['wait=3600', 60],
  ])('%s gets 304 when no new frame arrives within %d s', async (prefer, seconds) => {
    const parts = partsWith();
    hold(parts, { etag: seen });
    const settled = vi.fn();
    const answer = poll(parts, prefer);
    void Promise.resolve(answer).then(settled);
    await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const response = await answer;
    expect([response.status, applied(response)]).toEqual([304, `wait=${seconds}`]);
    expect(response.headers.get('age')).toBe(String(seconds));
    expect(parts.waiters.waiting()).toBe(0);
  });

  it.each([
    ['wait=0', seen, 304],
    ['wait=soon', seen, 304],
    ['respond-async', seen, 304],
    ['wait=20', '*', 304],
    ['wait=20', '"other"', 200],
  ])('%s with If-None-Match: %s gets %d at once', async (prefer, tag, status) => {
    const parts = partsWith();
    hold(parts, { etag: seen });
    const response = await parts.image({ headers: { Prefer: prefer, 'If-None-Match': tag } });
    expect([response.status, applied(response)]).toEqual([status, null]);
  });

  it('wait without If-None-Match gets the current frame', async () => {
    const parts = partsWith();
    hold(parts);
    const response = await parts.image({ headers: { Prefer: 'wait=20' } });
    expect([response.status, applied(response)]).toEqual([200, null]);
  });

  it('wait leaves nothing behind when the client leaves', async () => {
    const parts = partsWith();
    hold(parts, { etag: seen });
    const viewer = new AbortController();
    const answer = poll(parts, 'wait=20', { signal: viewer.signal });
    await expect.poll(() => parts.waiters.waiting()).toBe(1);
    viewer.abort();
    await answer;
    expect([
      parts.waiters.waiting(),
      parts.presence.isPresent(cameraId),
      vi.getTimerCount(),
    ]).toEqual([0, false, 0]);
  });

  it('wait gets 503 when too many requests already wait', async () => {
    const parts = partsWith({ maxWaiters: 1 });
    hold(parts, { etag: seen });
    void poll(parts);
    await expect.poll(() => parts.waiters.waiting()).toBe(1);
    const response = await poll(parts);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  });

  it('respond-async gets 503 at once for a cold camera, and raises demand', async () => {
    const parts = partsWith();
    const answer = parts.image({ headers: { Prefer: 'respond-async' } });
    await vi.advanceTimersByTimeAsync(1);
    const response = await answer;
    expect([response.status, applied(response)]).toEqual([503, 'respond-async']);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(parts.demand.raise).toHaveBeenCalledOnce();
    expect(parts.waiters.waiting()).toBe(0);
  });

  it('respond-async has no effect when Redis has the frame', async () => {
    const parts = partsWith();
    parts.stored.held = heldFrame(camera);
    const response = await parts.image({ headers: { Prefer: 'respond-async' } });
    expect([response.status, applied(response)]).toEqual([200, null]);
  });

  it.each([
    ['wait=3', 3, 'wait=3'],
    ['respond-async, wait=3', 3, 'wait=3'],
    ['wait=100', 15, 'wait=15'],
  ])('%s limits the wait for a first frame to %d s', async (Prefer, seconds, appliedWait) => {
    const parts = partsWith();
    const settled = vi.fn();
    const answer = parts.image({ headers: { Prefer } });
    void Promise.resolve(answer).then(settled);
    await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const response = await answer;
    expect([response.status, applied(response)]).toEqual([503, appliedWait]);
  });
});

describe('Cache-Status', () => {
  const IMAGE = `/images?url=${encodeURIComponent(camera.url)}`;
  it.each([
    ['a hit', IMAGE, {}, 200],
    ['a hit that the client has', IMAGE, { headers: { 'If-None-Match': '*' } }, 304],
    ['a range', IMAGE, { headers: { Range: 'bytes=0-1' } }, 206],
    ['a range outside the frame', IMAGE, { headers: { Range: 'bytes=99-' } }, 416],
    ['HEAD', IMAGE, { method: 'HEAD' }, 200],
    ['OPTIONS', IMAGE, { method: 'OPTIONS' }, 204],
    ['another method', IMAGE, { method: 'POST' }, 405],
    ['no url', '/images', {}, 400],
    ['a url that is not allowed', '/images?url=http://elsewhere.test/', {}, 403],
    ['no such path', '/nothing', {}, 404],
    ['a long target', `/images?x=${'x'.repeat(15_000)}`, {}, 414],
  ] as [string, string, RequestInit, number][])(
    'of %s is one valid member of a structured field',
    async (_, path, init, status) => {
      const parts = partsWith();
      hold(parts);
      const response = await parts.ask(path, init);
      expect(response.status).toBe(status);
      const [member, ...more] = parseList(response.headers.get('cache-status') ?? '');
      expect(more).toEqual([]);
      const [name, parameters] = member as [Token, Map<string, unknown>];
      expect([name.toString(), name]).toEqual(['lastframe', expect.any(Token)]);
      expect(parameters.has('hit') && parameters.has('fwd')).toBe(false);
      expect(parameters.has('hit')).toBe([200, 206, 304, 416].includes(status));
    },
  );
});

it('logs an unexpected error, and responds 503 without its details', async () => {
  const parts = partsWith();
  const error = vi.spyOn(silentLog, 'error');
  onTestFinished(() => error.mockRestore());
  parts.demand.raise.mockImplementation(() => {
    throw new Error('s3cret inside');
  });
  hold(parts, { startedAgoMs: HOUR_MS });
  const response = await parts.image();
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await response.text()).not.toContain('s3cret');
  expect(error).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ reason: 's3cret inside', path: '/images' }),
    'request failed',
  );
});
