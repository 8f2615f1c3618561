import { makeRules, type NamedCamera } from '@lastframe/shared/cameras/rules';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import { signatureOf } from '@lastframe/shared/cameras/url-signature';
import { parseList, Token } from 'structured-headers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { testCamera, testSource } from '../../../testing/test-camera.ts';
import { createNewCameraLimit } from '../access/new-camera-limit.ts';
import { createMemoryCache } from '../cache/memory-cache.ts';
import type { Refusal } from '../demand/refresh-schedule.ts';
import { createFrameWaiters } from '../lookup/frame-waiters.ts';
import { heldFrame, silentLog, streamParts, testParts } from '../test-support/parts.ts';
import { createApp } from './app.ts';

const camera = testCamera('a', { pattern: new UrlPattern('http://cam.test/*') });
const { cameraId } = camera;
const HOUR_MS = 3_600_000;

beforeEach(() => void vi.useFakeTimers({ now: new Date('2026-09-22T10:00:03Z') }));
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

function appParts({
  memory = createMemoryCache(1024 ** 2),
  maxWaiters = 10,
  cameras = [] as NamedCamera[],
  urlSigningKey = '',
  basePath = '/',
  coldLimit = createNewCameraLimit({ monoMs: () => 0 }, 0),
} = {}) {
  const parts = { ...testParts(), memory };
  const demand = {
    raise: vi.fn(),
    onAnnouncement: vi.fn(),
    recheck: vi.fn(),
    announcedWaitMs: vi.fn(() => 0),
    refusal: vi.fn((_cameraId: string): Refusal | undefined => undefined),
    close: vi.fn(),
  };
  const coldWait = createFrameWaiters({ ...parts, maxWaiters });
  const sources = [testSource({ pattern: new UrlPattern('http://cam.test/*') })];
  const rules = () => makeRules(sources, cameras);
  const fleetId = { pseudonym: () => 'lastframe-0123456789ab' };
  const deps = {
    ...parts,
    ...streamParts(parts, demand),
    demand,
    coldWait,
    rules,
    urlSigningKey,
    basePath,
    coldLimit,
    coldWaitMs: 15_000,
    servedBy: 'host-1',
    fleetId,
    wall: new Map(),
  };
  const app = createApp(deps);
  const ask = (path: string, init?: RequestInit) => app.request(path, init);
  const image = (init?: RequestInit) => ask(`/images?url=${encodeURIComponent(camera.url)}`, init);
  return { ...deps, app, ask, image };
}

type Parts = ReturnType<typeof appParts>;

function hold({ memory }: Parts, over: Parameters<typeof heldFrame>[1] = {}) {
  const held = heldFrame(camera, { text: 'frame bytes', ...over });
  memory.set(cameraId, held);
  return held;
}

const headersOf = ({ headers }: Response) => Object.fromEntries(headers);

describe('a frame in memory', () => {
  it('has the headers of the contract, to the letter', async () => {
    const parts = appParts();
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

  it('was not modified later than now, however far this clock is behind that of Redis', async () => {
    const parts = appParts();
    hold(parts, { changedAtMs: Date.UTC(2026, 8, 22, 11) });
    const { headers } = await parts.image();
    expect(headers.get('last-modified')).toBe('Tue, 22 Sep 2026 10:00:03 GMT');
  });

  it('raises no demand while it is fresh, and is served without a look at the store', async () => {
    const parts = appParts();
    hold(parts, { startedAgoMs: 4999 });
    await parts.image();
    expect(parts.demand.raise).not.toHaveBeenCalled();
    expect(parts.reader.read).not.toHaveBeenCalled();
  });

  it('is served at once when it is stale, and raises demand', async () => {
    const parts = appParts();
    hold(parts, { startedAgoMs: HOUR_MS, capturedAgoMs: 47_000 });
    const response = await parts.image();
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-status')).toBe('lastframe; hit; ttl=-42; detail=memory');
    expect(parts.demand.raise).toHaveBeenCalledOnce();
    expect(parts.reader.read).not.toHaveBeenCalled();
  });

  it('is served at once when there may be a newer one, and raises demand', async () => {
    const parts = appParts();
    hold(parts, { startedAgoMs: 1000, mayBeOutdated: true });
    expect((await parts.image()).status).toBe(200);
    expect(parts.demand.raise).toHaveBeenCalledOnce();
  });

  it('is served while nobody can be called and the store is away', async () => {
    const parts = appParts();
    parts.fleet.closed = 'no worker is alive';
    parts.reader.read.mockRejectedValue(new Error('away'));
    hold(parts, { startedAgoMs: HOUR_MS });
    expect((await parts.image()).status).toBe(200);
  });

  it('is gone when it is older than frames are kept', async () => {
    const parts = appParts();
    hold(parts, { startedAgoMs: 24 * HOUR_MS + 1 });
    void parts.image();
    await expect.poll(() => parts.demand.raise).toHaveBeenCalledOnce();
    expect(parts.memory.has(cameraId)).toBe(false);
  });

  it('counts as watched from then on', async () => {
    const parts = appParts();
    const held = hold(parts);
    await parts.image();
    expect(held.lastAskedMonoMs).toBe(parts.clock.monoMs());
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
    'is served by %s like its image, and its URL is nowhere',
    async (method) => {
      const parts = appParts({ cameras: [named] });
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

  it('raises demand under its name, by its URL too', async () => {
    const parts = appParts({ cameras: [named] });
    hold(parts, { startedAgoMs: HOUR_MS });
    await parts.image();
    expect(parts.demand.raise).toHaveBeenCalledWith(named.camera);
  });

  it.each(['/cameras/other', '/cameras/__proto__', '/cameras/%2e%2e'])(
    'is none: %s is 404',
    async (path) => {
      const response = await appParts({ cameras: [named] }).ask(path);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    },
  );

  it('takes GET and HEAD only', async () => {
    const response = await appParts({ cameras: [named] }).ask('/cameras/gate', { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});

describe('a signed URL', () => {
  const key = 'a key of 16 bytes or more';
  const exp = (inS: number) => String(Math.floor(1_790_000_000 + performance.now() / 1000) + inS);
  const signed = (parts: Parts, query: Record<string, string>) =>
    parts.ask(`/images?${new URLSearchParams({ url: camera.url, ...query })}`);

  it('is served with its signature, which need not be the one of the canonical form', async () => {
    const parts = appParts({ urlSigningKey: key });
    hold(parts);
    const url = 'HTTP://CAM.test:80/%61.jpg#x';
    const response = await signed(parts, { url, sig: signatureOf(url, '', key) });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toContain('max-age=5, stale');
  });

  it('bounds what caches may do with the answer by its end', async () => {
    const parts = appParts({ urlSigningKey: key });
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

  it('lets nobody wait for a frame from after its end', async () => {
    const parts = appParts({ urlSigningKey: key });
    const { etag } = hold(parts);
    const end = exp(3);
    const query = new URLSearchParams({
      url: camera.url,
      exp: end,
      sig: signatureOf(camera.url, end, key),
    });
    const headers = { Prefer: 'wait=60', 'If-None-Match': etag };
    const asked = parts.ask(`/images?${query}`, { headers });
    await vi.advanceTimersByTimeAsync(3000);
    const response = await asked;
    expect(response.status).toBe(304);
    expect(response.headers.get('preference-applied')).toMatch(/^wait=[23]$/);
    expect(response.headers.get('cache-control')).toMatch(/max-age=[01],/);
  });

  it.each([
    ['no signature', {}],
    ['an empty one', { sig: '' }],
    ['that of another URL', { sig: signatureOf('http://cam.test/b.jpg', '', key) }],
    ['that of another key', { sig: signatureOf(camera.url, '', `${key}!`) }],
    ['one in another spelling', { sig: `${signatureOf(camera.url, '', key)}=` }],
    ['an end that was not signed', { sig: signatureOf(camera.url, '', key), exp: '99999999999' }],
    ['an end taken away', { sig: signatureOf(camera.url, '99999999999', key) }],
    ['an end in the past', { sig: signatureOf(camera.url, '1', key), exp: '1' }],
    ['an end that is no number', { sig: signatureOf(camera.url, '1e99', key), exp: '1e99' }],
  ])('is refused with 403 for %s, and raises no demand', async (_, query) => {
    const parts = appParts({ urlSigningKey: key });
    const response = await signed(parts, query as Record<string, string>);
    expect(response.status).toBe(403);
    expect(await response.text()).toMatch(/signature/);
    expect(parts.demand.raise).not.toHaveBeenCalled();
  });

  it('is refused with a second signature or end beside the good one', async () => {
    const parts = appParts({ urlSigningKey: key });
    hold(parts);
    const query = new URLSearchParams({ url: camera.url, sig: signatureOf(camera.url, '', key) });
    for (const more of ['sig=x', 'exp=1&exp=2']) {
      expect((await parts.ask(`/images?${query}&${more}`)).status).toBe(400);
    }
  });

  it('is not needed for a named camera', async () => {
    const named = { name: 'gate', title: '', keepWarm: false, camera: { ...camera, name: 'gate' } };
    const parts = appParts({ urlSigningKey: key, cameras: [named] });
    hold(parts);
    expect((await parts.ask('/cameras/gate')).status).toBe(200);
  });
});

describe('beyond the new cameras of a client', () => {
  it('the answer is 503 with Retry-After, nobody is asked for a frame, and what has one is served', async () => {
    const parts = appParts({ coldLimit: createNewCameraLimit({ monoMs: () => 0 }, 1) });
    void parts.image();
    await expect.poll(() => parts.demand.raise).toHaveBeenCalledOnce();
    const response = await parts.ask('/images?url=http://cam.test/other.jpg');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60']);
    expect(parts.demand.raise).toHaveBeenCalledOnce();
    hold(parts);
    expect((await parts.image()).status).toBe(200);
  });
});

describe('behind a reverse proxy that mounts it at /cams', () => {
  it.each([
    ['/cams/images', 400],
    ['/images', 400],
    ['/cams/cams/images', 404],
    ['/camsimages', 404],
    ['/cams', 308],
  ])('%s is answered with %d', async (path, status) => {
    expect((await appParts({ basePath: '/cams' }).ask(path)).status).toBe(status);
  });
});

describe('conditions and methods', () => {
  it.each([
    [{ 'If-None-Match': '"x", W/"same"' }],
    [{ 'If-Modified-Since': 'Tue, 22 Sep 2026 10:00:00 GMT' }],
  ])('%j is answered with 304, no body and the headers of the cache', async (headers) => {
    const parts = appParts();
    hold(parts, { etag: '"same"', startedAgoMs: 3000, changedAtMs: Date.UTC(2026, 8, 22, 10) });
    const response = await parts.image({ headers });
    expect(response.status).toBe(304);
    expect(await response.text()).toBe('');
    const all = headersOf(await parts.image());
    const { 'content-type': _, 'content-length': __, ...repeated } = all;
    expect(headersOf(response)).toEqual(repeated);
  });

  it('a condition that is not met gets the whole frame', async () => {
    const parts = appParts();
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
  ])('Range: %s is answered with %d', async (Range, status, contentRange, body) => {
    const parts = appParts();
    hold(parts);
    const response = await parts.image({ headers: { Range } });
    expect([response.status, await response.text()]).toEqual([status, body]);
    const rest = headersOf(await parts.image());
    const of = contentRange === null ? {} : { 'content-range': contentRange };
    expect(headersOf(response)).toEqual({ ...rest, ...of, 'content-length': `${body.length}` });
  });

  it('a range that the frame has not is 416 with its size, and still a hit', async () => {
    const parts = appParts();
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
    ['an ETag that is current', { 'If-Range': '"same"' }, 206],
    ['the date that is current', { 'If-Range': 'Tue, 22 Sep 2026 10:00:00 GMT' }, 206],
    ['another ETag', { 'If-Range': '"other"' }, 200],
    ['a weak ETag', { 'If-Range': 'W/"same"' }, 200],
    ['a later date', { 'If-Range': 'Tue, 22 Sep 2026 10:00:01 GMT' }, 200],
    ['an ETag that the viewer has', { 'If-Range': '"same"', 'If-None-Match': '"same"' }, 304],
    ['one that he has not', { 'If-Range': '"same"', 'If-None-Match': '"other"' }, 206],
  ])('a range with %s gets its due', async (_, headers, status) => {
    const parts = appParts();
    hold(parts, { etag: '"same"', changedAtMs: Date.UTC(2026, 8, 22, 10) });
    const response = await parts.image({ headers: { Range: 'bytes=0-4', ...headers } });
    expect(response.status).toBe(status);
  });

  it('HEAD has no ranges, as HTTP has it', async () => {
    const parts = appParts();
    hold(parts);
    const head = await parts.image({ method: 'HEAD', headers: { Range: 'bytes=0-4' } });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '11']);
  });

  it('HEAD equals GET without the body', async () => {
    const parts = appParts();
    hold(parts);
    const [get, head] = [await parts.image(), await parts.image({ method: 'HEAD' })];
    expect([head.status, headersOf(head)]).toEqual([200, headersOf(get)]);
    expect(head.headers.get('content-length')).toBe('11');
    expect(await head.text()).toBe('');
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('%s is 405 with Allow', async (method) => {
    const parts = appParts();
    const response = await parts.image({ method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect(await response.json()).toMatchObject({ status: 405, instance: '/images' });
  });

  it('OPTIONS answers the preflight of a browser, and asks nobody', async () => {
    const parts = appParts();
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
    ['/images', /^url is missing; ask for \/images\?url=<URL of the image>$/],
    ['/images?camera=a', /^url is missing; ask for \/images\?url=<URL of the image>$/],
    ['/images?url=', /^url is empty/],
    ['/images?url=http://cam.test/a&url=http://cam.test/b', /^url is given more than once/],
    ['/images?url=nonsense', /^url is no absolute URL/],
    ['/images?url=%zz', /^url is no absolute URL/],
    ['/images?url=http://cam.test/a%20b', /^url has a space/],
    [`/images?url=http://cam.test/${'x'.repeat(4096)}`, 'url is longer than 4096 bytes'],
    ['/images?url=http://me:s3cret@cam.test/', 'url has credentials in it'],
    ['/images?url=ftp://cam.test/i', 'url must begin with http:// or https://'],
  ])('%s is 400 and says what is wrong', async (path, detail) => {
    const { ask } = appParts();
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

  it('with a target that no URL of an image needs is 414', async () => {
    const { ask } = appParts();
    const response = await ask(`/images?x=${'x'.repeat(14 * 1024)}`);
    expect([response.status, response.headers.get('cache-control')]).toEqual([414, 'no-store']);
    expect(await response.json()).toMatchObject({ status: 414, instance: '/images' });
  });

  it('for a camera that no source allows is 403, and nobody is asked about it', async () => {
    const { ask, reader, demand } = appParts();
    const response = await ask('/images?url=http://169.254.169.254/latest/meta-data');
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ title: 'Not allowed', instance: '/images' });
    expect(reader.read).not.toHaveBeenCalled();
    expect(demand.raise).not.toHaveBeenCalled();
  });

  it.each(['/', '/image', '/images/', '/images/a.jpg'])('%s is 404', async (path) => {
    const { ask } = appParts();
    const response = await ask(path);
    expect([response.status, response.headers.get('cache-control')]).toEqual([404, 'no-store']);
    expect(await response.json()).toMatchObject({ status: 404, instance: path });
  });

  it('may have parameters that nobody knows', async () => {
    const parts = appParts();
    hold(parts);
    const path = `/images?t=1&url=${encodeURIComponent(camera.url)}&t=2`;
    expect((await parts.ask(path)).status).toBe(200);
  });
});

describe('a frame that is not in memory', () => {
  it('is taken from the store', async () => {
    const parts = appParts();
    parts.stored.held = heldFrame(camera, { startedAgoMs: 1000 });
    const response = await parts.image();
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-status')).toBe('lastframe; hit; ttl=4; detail=redis');
    expect(parts.demand.raise).not.toHaveBeenCalled();
    expect(parts.coldWait.waiting()).toBe(0);
    expect(parts.stored.held.lastAskedMonoMs).toBe(parts.clock.monoMs());
  });

  it('raises demand when that of the store is stale, even if memory can not take it', async () => {
    const parts = appParts({ memory: createMemoryCache(1) });
    parts.stored.held = heldFrame(camera, { startedAgoMs: 6000 });
    expect((await parts.image()).status).toBe(200);
    expect(parts.demand.raise).toHaveBeenCalledOnce();
  });

  it('is waited for when the store has none, and who came later joined', async () => {
    const parts = appParts();
    const answers = [parts.image(), parts.image()];
    await expect.poll(() => parts.demand.raise).toHaveBeenCalledTimes(2);
    const held = heldFrame(camera);
    parts.coldWait.wake(held);
    const statuses = (await Promise.all(answers)).map(({ headers }) => headers.get('cache-status'));
    expect(statuses).toEqual([
      'lastframe; fwd=uri-miss; stored',
      'lastframe; fwd=uri-miss; collapsed',
    ]);
    expect(held.lastAskedMonoMs).toBe(parts.clock.monoMs());
    expect(parts.coldWait.waiting()).toBe(0);
  });

  it('is not missed when it comes while the store is read', async () => {
    const parts = appParts();
    const read = Promise.withResolvers<object>();
    parts.reader.read.mockReturnValueOnce(read.promise);
    const answer = parts.image();
    await expect.poll(() => parts.reader.read).toHaveBeenCalled();
    parts.coldWait.wake(heldFrame(camera));
    read.resolve({});
    expect((await answer).status).toBe(200);
  });

  it.each([
    [502, 'camera-failed', 'The camera failed', 'connection_refused'],
    [504, 'camera-timed-out', 'The camera timed out', 'connection_timeout'],
  ] as const)(
    'is %d at once after a failure that is remembered',
    async (status, code, title, error) => {
      const parts = appParts();
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
      expect(parts.coldWait.waiting()).toBe(0);
    },
  );

  it('is 403 without Retry-After when the worker refused the address', async () => {
    const parts = appParts();
    parts.stored.failure = { status: 403, reason: 'this address may not be called', nextMs: 1 };
    const response = await parts.image();
    expect([response.status, response.headers.get('retry-after')]).toEqual([403, null]);
  });

  it('is the failure that is announced while it is waited for', async () => {
    const parts = appParts();
    const answer = parts.image();
    await expect.poll(() => parts.demand.raise).toHaveBeenCalled();
    const failure = { kind: 'failure', status: 504, reason: 'late', nextMs: 9000 } as const;
    parts.coldWait.onAnnouncement({ v: 1, cameraId, ...failure });
    const response = await answer;
    expect([response.status, response.headers.get('retry-after')]).toEqual([504, '9']);
  });

  it('is 503 when no permit comes in time, with the time until one can be had', async () => {
    const parts = appParts();
    const answer = parts.image();
    await expect.poll(() => parts.demand.raise).toHaveBeenCalled();
    parts.coldWait.onAnnouncement({ v: 1, cameraId, kind: 'wait', reason: 'hold', inMs: 20_500 });
    const response = await answer;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '21']);
  });

  it.each([
    ['places', 'this source already has as many cameras as it may have; ask again later'],
    ['memory', 'there is no memory for new cameras now; ask again later'],
  ] as const)(
    'is 503 when the fleet takes no new cameras (%s), said in words, also the next time',
    async (reason, detail) => {
      const parts = appParts();
      const answer = parts.image();
      await vi.waitFor(() => expect(parts.demand.raise).toHaveBeenCalled());
      parts.coldWait.onAnnouncement({ v: 1, cameraId, kind: 'wait', reason, inMs: 10_000 });
      parts.demand.refusal.mockReturnValue(reason);
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

  it('is 503 when the time to wait is over', async () => {
    const parts = appParts();
    parts.demand.announcedWaitMs.mockReturnValue(3100);
    const answer = parts.image();
    await vi.advanceTimersByTimeAsync(15_000);
    const response = await answer;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '4']);
    expect(parts.coldWait.waiting()).toBe(0);
  });

  it('is 503 when too many wait, but still found in the store', async () => {
    const parts = appParts({ maxWaiters: 1 });
    void parts.image();
    await expect.poll(() => parts.coldWait.waiting()).toBe(1);
    const response = await parts.image();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(parts.demand.raise).toHaveBeenCalledOnce(); // by the one who waits
    parts.stored.held = heldFrame(camera);
    expect((await parts.image()).status).toBe(200);
  });

  it('is 503 soon when nobody can call the camera, and says why', async () => {
    const parts = appParts();
    parts.fleet.closed = 'no worker is alive';
    const answer = parts.image();
    await vi.advanceTimersByTimeAsync(3000);
    const response = await answer;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining('no worker is alive'),
    });
    expect(parts.coldWait.waiting()).toBe(0);
  });

  it('is waited for when a worker comes within a moment', async () => {
    const parts = appParts();
    parts.fleet.closed = 'no worker is alive';
    const answer = parts.image();
    await vi.advanceTimersByTimeAsync(1000);
    parts.fleet.closed = undefined;
    await vi.advanceTimersByTimeAsync(5000);
    parts.coldWait.wake(heldFrame(camera));
    expect((await answer).status).toBe(200);
  });

  it('is 503 when the store can not be read, and tells nothing of the inside', async () => {
    const parts = appParts();
    parts.reader.read.mockRejectedValue(new Error('connect ECONNREFUSED 10.0.0.7:6379'));
    const answered = parts.image();
    await vi.advanceTimersByTimeAsync(4000);
    const response = await answered;
    const body = await response.text();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(body).not.toMatch(/ECONN|10\.0\.0\.7|at |node_modules/);
    expect(parts.coldWait.waiting()).toBe(0);
  });

  it('is read again for a while when the store is late or away for a moment', async () => {
    const parts = appParts();
    parts.stored.held = heldFrame(camera);
    for (let n = 0; n < 4; n += 1) parts.reader.read.mockRejectedValueOnce(new Error('late'));
    const answered = parts.image();
    await vi.advanceTimersByTimeAsync(2000);
    expect((await answered).status).toBe(200);
  });

  it('is not read again for a viewer who would not wait, or has no place among those that wait', async () => {
    const parts = appParts({ maxWaiters: 0 });
    parts.reader.read.mockRejectedValue(new Error('away'));
    expect((await parts.image()).status).toBe(503);
    const hasty = appParts();
    hasty.reader.read.mockRejectedValue(new Error('away'));
    const answer = await hasty.image({ headers: { Prefer: 'respond-async' } });
    expect(answer.status).toBe(503);
    for (const { read } of [parts.reader, hasty.reader]) expect(read).toHaveBeenCalledTimes(1);
  });

  it('is not read again when the viewer has gone', async () => {
    const parts = appParts();
    parts.reader.read.mockRejectedValue(new Error('away'));
    const viewer = new AbortController();
    const left = parts.image({ signal: viewer.signal });
    await vi.advanceTimersByTimeAsync(100);
    viewer.abort();
    await left;
    expect(parts.reader.read).toHaveBeenCalledTimes(1);
    expect(parts.coldWait.waiting()).toBe(0);
  });

  it('is not waited for any longer when the viewer has gone', async () => {
    const parts = appParts();
    const viewer = new AbortController();
    void parts.image({ signal: viewer.signal });
    await expect.poll(() => parts.demand.raise).toHaveBeenCalled();
    viewer.abort();
    await expect.poll(() => parts.coldWait.waiting()).toBe(0);
  });
});

it('a request of the fleet itself is a loop, another fleet may ask', async () => {
  const parts = appParts();
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
  it('wait does not give back a frame that was purged meanwhile', async () => {
    const parts = appParts();
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

  it('wait answers with the next frame that the viewer has not, as soon as it is there', async () => {
    const parts = appParts();
    hold(parts, { etag: seen });
    const answer = poll(parts);
    await expect.poll(() => parts.coldWait.waiting()).toBe(1);
    // Also while the frame is fresh: somebody is present when it is due.
    expect(parts.demand.raise).toHaveBeenCalledOnce();
    expect(parts.viewers.isPresent(cameraId)).toBe(true);
    parts.coldWait.wake(hold(parts, { etag: '"next"' }));
    const response = await answer;
    expect([response.status, response.headers.get('etag')]).toEqual([200, '"next"']);
    expect([applied(response), response.headers.get('cache-status')]).toEqual([
      'wait=20',
      'lastframe; hit; ttl=5; detail=memory',
    ]);
    expect(parts.viewers.isPresent(cameraId)).toBe(false);
  });

  it.each([
    ['wait=20', 20],
    ['wait=60', 60],
    ['wait=3600', 60],
  ])('%s gives 304 when none came within %d s', async (prefer, seconds) => {
    const parts = appParts();
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
    expect(parts.coldWait.waiting()).toBe(0);
  });

  it.each([
    ['wait=0', seen, 304],
    ['wait=soon', seen, 304],
    ['respond-async', seen, 304],
    ['wait=20', '*', 304],
    ['wait=20', '"other"', 200],
  ])('%s with If-None-Match: %s is answered at once with %d', async (prefer, tag, status) => {
    const parts = appParts();
    hold(parts, { etag: seen });
    const response = await parts.image({ headers: { Prefer: prefer, 'If-None-Match': tag } });
    expect([response.status, applied(response)]).toEqual([status, null]);
  });

  it('wait without If-None-Match gets the frame that there is', async () => {
    const parts = appParts();
    hold(parts);
    const response = await parts.image({ headers: { Prefer: 'wait=20' } });
    expect([response.status, applied(response)]).toEqual([200, null]);
  });

  it('wait leaves nothing behind when the viewer goes away', async () => {
    const parts = appParts();
    hold(parts, { etag: seen });
    const viewer = new AbortController();
    const answer = poll(parts, 'wait=20', { signal: viewer.signal });
    await expect.poll(() => parts.coldWait.waiting()).toBe(1);
    viewer.abort();
    await answer;
    expect([
      parts.coldWait.waiting(),
      parts.viewers.isPresent(cameraId),
      vi.getTimerCount(),
    ]).toEqual([0, false, 0]);
  });

  it('wait is 503 when too many wait already', async () => {
    const parts = appParts({ maxWaiters: 1 });
    hold(parts, { etag: seen });
    void poll(parts);
    await expect.poll(() => parts.coldWait.waiting()).toBe(1);
    const response = await poll(parts);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  });

  it('respond-async gets 503 at once for a cold camera, and raises demand', async () => {
    const parts = appParts();
    const answer = parts.image({ headers: { Prefer: 'respond-async' } });
    await vi.advanceTimersByTimeAsync(1);
    const response = await answer;
    expect([response.status, applied(response)]).toEqual([503, 'respond-async']);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(parts.demand.raise).toHaveBeenCalledOnce();
    expect(parts.coldWait.waiting()).toBe(0);
  });

  it('respond-async is not needed where Redis has the frame', async () => {
    const parts = appParts();
    parts.stored.held = heldFrame(camera);
    const response = await parts.image({ headers: { Prefer: 'respond-async' } });
    expect([response.status, applied(response)]).toEqual([200, null]);
  });

  it.each([
    ['wait=3', 3, 'wait=3'],
    ['respond-async, wait=3', 3, 'wait=3'],
    ['wait=100', 15, 'wait=15'],
  ])('%s bounds the wait for a first frame to %d s', async (Prefer, seconds, told) => {
    const parts = appParts();
    const settled = vi.fn();
    const answer = parts.image({ headers: { Prefer } });
    void Promise.resolve(answer).then(settled);
    await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const response = await answer;
    expect([response.status, applied(response)]).toEqual([503, told]);
  });
});

describe('Cache-Status', () => {
  const IMAGE = `/images?url=${encodeURIComponent(camera.url)}`;
  it.each([
    ['a hit', IMAGE, {}, 200],
    ['a hit that the viewer has', IMAGE, { headers: { 'If-None-Match': '*' } }, 304],
    ['a part', IMAGE, { headers: { Range: 'bytes=0-1' } }, 206],
    ['a part that is not there', IMAGE, { headers: { Range: 'bytes=99-' } }, 416],
    ['HEAD', IMAGE, { method: 'HEAD' }, 200],
    ['OPTIONS', IMAGE, { method: 'OPTIONS' }, 204],
    ['another method', IMAGE, { method: 'POST' }, 405],
    ['no url', '/images', {}, 400],
    ['a url that is not allowed', '/images?url=http://elsewhere.test/', {}, 403],
    ['no such path', '/nothing', {}, 404],
    ['a long target', `/images?x=${'x'.repeat(15_000)}`, {}, 414],
  ] as [string, string, RequestInit, number][])(
    'of %s is one member that a parser of structured fields takes',
    async (_, path, init, status) => {
      const parts = appParts();
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

it('an error that nobody expected is 503 without a word of it, and goes to the log', async () => {
  const parts = appParts();
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
