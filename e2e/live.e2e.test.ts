import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signatureOf } from '@lastframe/shared/cameras/url-signature';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SHORT_TIMES } from '../testing/checks/short-faults.ts';
import { startBalancer } from '../testing/fleet/balancer.ts';
import { type Api, type Fleet, startFleet } from '../testing/fleet/fleet.ts';
import { residentMiB } from '../testing/fleet/proc.ts';
import { type OpenStream, openEvents, openMjpeg } from '../testing/viewers/streams.ts';

const INTERVAL_MS = 500;
/** For a busy machine. */
const PATIENCE = { timeout: 30_000 };
let fleet: Fleet;
const open: Pick<OpenStream<unknown>, 'close'>[] = [];

function closeStreams(): void {
  for (const stream of open.splice(0)) stream.close();
}

async function endFleet(): Promise<void> {
  closeStreams();
  await fleet.checkAndStop();
}

const events = async (url: string, headers?: Record<string, string>) => {
  const stream = await openEvents(url, headers);
  open.push(stream);
  return stream;
};
const mjpeg = async (url: string, options?: Parameters<typeof openMjpeg>[1]) => {
  const stream = await openMjpeg(url, options);
  open.push(stream);
  return stream;
};
const apiOf = (n: number): Api => fleet.apis[n] as Api;
const byUrl = (camera: string) => `url=${encodeURIComponent(camera)}`;
const callsTo = async (name: string) =>
  (await fleet.slow.calls()).filter((call) => call.name === name).length;

const cameraLine = (slowUrl: string, name: string, query: Record<string, string> = {}) =>
  `  ${name}: { url: "${slowUrl}/image/${name}?${new URLSearchParams({ size: '64x36', ...query })}" }`;

async function listCameras(api: Api) {
  const answer = await fetch(`${api.url}/cameras`);
  expect(answer.status).toBe(200);
  const { cameras } = (await answer.json()) as {
    cameras: { name: string; health: string; healthSince?: string; reason?: string }[];
  };
  return Object.fromEntries(cameras.map((camera) => [camera.name, camera]));
}

async function healths(api: Api) {
  const all = Object.entries(await listCameras(api));
  return Object.fromEntries(all.map(([name, { health }]) => [name, health]));
}

describe('an open stream', () => {
  describe('of a fleet of three', () => {
    beforeAll(async () => {
      fleet = await startFleet({ apis: 3, intervalMs: INTERVAL_MS });
    });
    afterEach(closeStreams);
    afterAll(endFleet);

    it('shows every new frame on any process, and keeps the camera refreshed while it is open', async () => {
      const [shared, left] = [fleet.slow.camera('shared'), fleet.slow.camera('left')];
      const [a, b, c] = await Promise.all([
        events(`${apiOf(0).url}/events?${byUrl(shared)}&${byUrl(left)}`),
        mjpeg(`${apiOf(1).url}/stream?${byUrl(shared)}`),
        mjpeg(`${apiOf(2).url}/stream?${byUrl(left)}`),
      ]);
      expect([a.status, b.status, c.status]).toEqual([200, 200, 200]);
      const framesOf = (camera: string) =>
        a.received.filter(({ event, data }) => event === 'frame' && data.url === camera);
      await expect.poll(() => framesOf(shared).length, PATIENCE).toBeGreaterThan(5);
      await expect.poll(() => b.received.length, PATIENCE).toBeGreaterThan(5);
      await expect.poll(() => c.received.length, PATIENCE).toBeGreaterThan(3);
      // The same frames, in the same order, each once.
      const eventEtags = framesOf(shared).map(({ data }) => data.etag);
      const shownEtags = b.received.map(({ etag }) => etag);
      expect(new Set(shownEtags).size).toBe(shownEtags.length);
      expect(eventEtags.filter((etag) => shownEtags.includes(etag ?? '')).length).toBeGreaterThan(
        3,
      );
      const { data, id } = framesOf(shared).at(-1) ?? expect.fail();
      expect(id).toBe(data.etag);
      expect(data).toMatchObject({ health: 'live', width: 64 });

      // `left` has no viewers any more: only the other camera is still called.
      a.close();
      c.close();
      await expect.poll(() => c.ended.catch(() => 'over'), PATIENCE).toBe('over');
      const callsMeanwhile = async () => {
        const [before, onwards] = [await callsTo('left'), b.received.length];
        await expect.poll(() => b.received.length, PATIENCE).toBeGreaterThan(onwards + 4);
        return (await callsTo('left')) - before;
      };
      // A call may be in flight, and a process may be late to notice that viewers left.
      await expect.poll(callsMeanwhile, { ...PATIENCE, timeout: 60_000 }).toBe(0);
    });

    it('ends cleanly when its process shuts down, and viewers reconnect to another one', async () => {
      const camera = fleet.slow.camera('moving');
      const balancer = await startBalancer();
      try {
        await balancer.addWhenReady(apiOf(0));
        const [a, b] = await Promise.all([
          events(`${balancer.url}/events?${byUrl(camera)}`),
          mjpeg(`${balancer.url}/stream?${byUrl(camera)}`),
        ]);
        await expect.poll(() => b.received.length, PATIENCE).toBeGreaterThan(1);
        await balancer.addWhenReady(apiOf(1));
        const before = a.received.length;
        const ending = apiOf(0).end('SIGTERM');
        await Promise.all([a.ended, b.ended]); // neither is cut
        // They continued until the balancer sent no more viewers here.
        expect(a.received.length).toBeGreaterThan(before);
        expect(a.retries).toHaveLength(2);
        expect(a.retries[1]).toBeGreaterThanOrEqual(500);
        expect(a.retries[1]).toBeLessThanOrEqual(3000);
        const lastId = a.received.findLast(({ id }) => id)?.id ?? '';
        const again = await events(`${balancer.url}/events?${byUrl(camera)}`, {
          'Last-Event-ID': lastId,
        });
        expect(again.headers.get('x-served-by')).not.toBe(a.headers.get('x-served-by'));
        await expect.poll(() => again.received.length, PATIENCE).toBeGreaterThan(2);
        expect(await ending).toBe(0);
      } finally {
        await balancer.close();
      }
    });
  });

  describe('of a fleet of its own', () => {
    afterEach(endFleet);

    it('is told of a frame that another process gets, which a conditional wait there receives at once', async () => {
      fleet = await startFleet({ apis: 2, intervalMs: 5000 });
      const camera = fleet.slow.camera('fetched');
      const stream = await events(`${apiOf(0).url}/events?${byUrl(camera)}`);
      const etags = () => stream.received.map(({ data }) => data.etag);
      await expect.poll(etags, PATIENCE).toContainEqual(expect.any(String));
      // The other process has a frame, but no stream.
      const first = await apiOf(1).image(camera);
      await first.arrayBuffer();
      const old = first.headers.get('etag') ?? '';
      await expect.poll(() => etags().at(-1), PATIENCE).not.toBe(old);
      const conditions = { 'If-None-Match': old, Prefer: 'wait=20' };
      const startedMs = performance.now();
      const next = await apiOf(1).image(camera, { headers: conditions });
      await next.arrayBuffer();
      expect(next.status).toBe(200);
      expect(performance.now() - startedMs).toBeLessThan(4000); // not only by the next announcement
      await expect.poll(etags, PATIENCE).toContain(next.headers.get('etag'));
    });

    it('skips frames for a viewer that reads slowly, and disconnects one that reads nothing', async () => {
      const env = { MEMORY_LIMIT: '64MiB', MAX_STREAMS: '5' };
      fleet = await startFleet({ intervalMs: INTERVAL_MS, env });
      const camera = fleet.slow.camera('large', { bytes: '3MiB' });
      const path = `/stream?${byUrl(camera)}`;
      const good = await mjpeg(apiOf(0).url + path);
      await expect.poll(() => good.received.length, PATIENCE).toBeGreaterThan(1);
      const { promise: pause, resolve: readOn } = Promise.withResolvers<void>();
      const slow = await mjpeg(apiOf(0).url + path, { paused: pause });
      const stalled = connect(Number(apiOf(0).listening.port), '127.0.0.1');
      stalled.pause();
      stalled.on('error', () => {});
      await once(stalled, 'connect');
      stalled.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const openStreams = async () => {
        const metrics = await (await fetch(`${apiOf(0).opsUrl}/metrics`)).text();
        return /^lastframe_streams_open(?:\{.*\})? (\d+)/m.exec(metrics)?.[1];
      };
      await expect.poll(openStreams, PATIENCE).toBe('3');
      // One client may have only these of the five; the one that reads nothing is cut off after 10 s.
      const another = async () => {
        const stream = await mjpeg(apiOf(0).url + path);
        stream.close();
        return stream;
      };
      const refused = await another();
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      const residentBefore = await residentMiB(apiOf(0).pid);
      const seenBefore = good.received.length;
      await expect.poll(() => good.received.length, PATIENCE).toBeGreaterThan(seenBefore + 6);
      readOn();
      const now = good.received.length;
      // Any newer frame: the slow viewer may skip some.
      const newer = () =>
        good.received.slice(now).some(({ etag }) => etag === slow.received.at(-1)?.etag);
      await expect.poll(newer, PATIENCE).toBe(true);
      expect(slow.received.length).toBeLessThan(now - seenBefore);
      await expect.poll(async () => (await another()).status, PATIENCE).toBe(200);
      expect((await residentMiB(apiOf(0).pid)) - residentBefore).toBeLessThan(100);
      stalled.destroy();
    });
    it('ends cleanly when its signature expires: each url has its own', async () => {
      const URL_SIGNING_KEY = 'a key for tests only';
      fleet = await startFleet({ intervalMs: INTERVAL_MS, env: { URL_SIGNING_KEY } });
      const [short, long] = [fleet.slow.camera('short'), fleet.slow.camera('long')];
      const exp = String(Math.floor(Date.now() / 1000) + 12);
      const signed = (camera: string, until: string) =>
        `${byUrl(camera)}&sig=${signatureOf(camera, until, URL_SIGNING_KEY)}&exp=${until}`;
      const base = `${apiOf(0).url}/events`;
      const stream = await events(`${base}?${signed(long, '')}&${signed(short, exp)}`);
      const only = await mjpeg(`${apiOf(0).url}/stream?${signed(short, exp)}`);
      expect([stream.status, only.status]).toEqual([200, 200]);
      const swapped = [
        byUrl(long),
        byUrl(short),
        ...[short, long].map((c) => signed(c, '').slice(byUrl(c).length + 1)),
      ];
      expect((await events(`${base}?${swapped.join('&')}`)).status).toBe(403);
      expect((await events(`${base}?${byUrl(long)}`)).status).toBe(403);
      await only.ended;
      expect(only.received.length).toBeGreaterThan(0);
      const last = (camera: string) => stream.received.findLast(({ data }) => data.url === camera);
      await expect.poll(() => last(short)?.data.reason, PATIENCE).toMatch(/has expired/);
      const expiredAtMs = performance.now();
      await expect.poll(() => (last(long)?.atMs ?? 0) > expiredAtMs, PATIENCE).toBe(true);
    });
  });
});

it('a browser gets a drawing that says why a frame is missing, with the same status', async () => {
  fleet = await startFleet({ env: { PLACEHOLDER: 'true' } });
  onTestFinished(endFleet);
  const camera = fleet.slow.camera('broken', { status: '500' });
  const Accept = 'image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5';
  const drawn = await apiOf(0).image(camera, { headers: { Accept } });
  const plain = await apiOf(0).image(camera);
  expect([drawn.status, plain.status]).toEqual([502, 502]);
  expect(drawn.headers.get('content-type')).toBe('image/svg+xml');
  expect(plain.headers.get('content-type')).toBe('application/problem+json');
  for (const name of ['cache-control', 'cache-status', 'proxy-status', 'retry-after']) {
    expect(drawn.headers.get(name), name).not.toBeNull();
  }
  const text = await drawn.text();
  expect(text).toMatch(/^<svg .*The camera failed/s);
  expect(text).not.toContain('127.0.0.1');
});

describe('named cameras', () => {
  const SECRET = 'planted-in-the-url';
  const CHANGING = ['stays', 'goes', 'moves'];
  const steady = (url: string) => [
    cameraLine(url, 'good', { key: SECRET }),
    cameraLine(url, 'bad', { status: '500', key: SECRET }),
    cameraLine(url, 'still', { as: 'frozen' }),
    cameraLine(url, 'lonely'),
  ];
  const watching = '/events?camera=good&camera=bad&camera=still';
  const folder = mkdtempSync(join(tmpdir(), 'lastframe-'));
  const file = join(folder, 'sources.yaml');
  // The worker that is killed leaves permits behind, which live for five seconds.
  const env = { ...SHORT_TIMES, SOURCES_FILE: file, ALLOWED_SOURCES: '' };

  beforeAll(async () => {
    fleet = await startFleet({ apis: 0, workers: 0, intervalMs: INTERVAL_MS, delayMs: 50 });
    const { url } = fleet.slow;
    write([...steady(url), ...CHANGING.map((name) => cameraLine(url, name))]);
    await fleet.startWorker({ ADOPT_REDIS: 'true', ...env });
    await Promise.all([fleet.startApi(env), fleet.startApi(env)]);
  });
  afterEach(closeStreams);
  afterAll(async () => {
    await endFleet();
    rmSync(folder, { recursive: true });
  });

  function write(cameras: readonly string[]): void {
    const source = `sources: [{ name: slow, match: "${fleet.slow.url}/*", frozenAfter: 2s }]`;
    writeFileSync(file, [source, 'cameras:', ...cameras].join('\n'));
  }

  it('have the same health on every process: live, failing with the reason, frozen, idle; late without a worker', async () => {
    const stream = await events(apiOf(0).url + watching);
    const last = (name: string) =>
      stream.received.findLast(({ data }) => data.camera === name)?.data;
    const expected = { good: 'live', bad: 'failing', still: 'frozen', lonely: 'idle' };
    for (const api of fleet.apis) {
      await expect.poll(() => healths(api), PATIENCE).toMatchObject(expected);
    }
    for (const name of ['good', 'bad', 'still'] as const) {
      await expect.poll(() => last(name)?.health, PATIENCE).toBe(expected[name]);
    }
    expect(last('bad')).toMatchObject({ reason: 'the camera responded with 500' });
    const { bad } = await listCameras(apiOf(1));
    expect(bad).toMatchObject({ reason: 'the camera responded with 500' });
    // Since its first failure, however many followed.
    const failures = stream.received.filter(
      ({ event, data }) => event === 'failure' && data.camera === 'bad',
    );
    expect(new Set(failures.map(({ data }) => data.healthSince)).size).toBe(1);
    expect(failures[0]?.data.healthSince).toBe(bad?.healthSince);

    await fleet.workers[0]?.end('SIGKILL');
    await expect.poll(() => last('good')?.health, PATIENCE).toBe('late');
    expect(stream.received.findLast(({ data }) => data.camera === 'good')?.event).toBe('health');
    await expect.poll(() => healths(apiOf(1)), PATIENCE).toMatchObject({ good: 'late' });
    await fleet.startWorker(env);
    await expect.poll(() => last('good')?.health, PATIENCE).toBe('live');

    stream.close();
    const idle = { good: 'idle', still: 'idle', lonely: 'idle' };
    await expect.poll(() => healths(apiOf(1)), PATIENCE).toMatchObject(idle);
    for (const text of [stream.text(), JSON.stringify(await listCameras(apiOf(0)))]) {
      for (const secret of [SECRET, fleet.slow.url, '127.0.0.1'])
        expect(text).not.toContain(secret);
    }
  });

  it('end their streams cleanly when the rules drop them, one by one', async () => {
    const stream = await events(`${apiOf(0).url}/events?camera=stays&camera=goes&camera=moves`);
    const only = await mjpeg(`${apiOf(0).url}/stream?camera=goes`);
    const last = (name: string) => stream.received.findLast(({ data }) => data.camera === name);
    for (const name of CHANGING) await expect.poll(() => last(name)?.event, PATIENCE).toBe('frame');
    const { url } = fleet.slow;
    const moved = cameraLine(url, 'elsewhere').replace('elsewhere:', 'moves:');
    write([...steady(url), cameraLine(url, 'stays'), moved]);
    for (const child of [...fleet.apis, ...fleet.workers]) child.signal('SIGHUP');
    await only.ended;
    await expect.poll(() => last('goes')?.event, PATIENCE).toBe('failure');
    expect(last('goes')?.data.reason).toBe('no camera has this name');
    await expect.poll(() => callsTo('elsewhere'), PATIENCE).toBeGreaterThan(1);
    const movedAtMs = performance.now();
    const isLater = (name: string) => (last(name)?.atMs ?? 0) > movedAtMs;
    await expect.poll(() => isLater('stays') && isLater('moves'), PATIENCE).toBe(true);
  });

  it('get their health back after Redis has lost everything', async () => {
    await events(apiOf(0).url + watching);
    const expected = { good: 'live', bad: 'failing', still: 'frozen', lonely: 'idle' };
    await expect.poll(() => healths(apiOf(0)), PATIENCE).toMatchObject(expected);
    await fleet.redis.command('FLUSHALL');
    await expect.poll(() => healths(apiOf(0)), PATIENCE).not.toMatchObject(expected);
    await expect.poll(() => healths(apiOf(0)), PATIENCE).toMatchObject(expected);
  });
});
