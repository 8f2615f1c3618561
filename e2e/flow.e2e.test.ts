import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Fleet, type FleetOptions, startFleet } from '../testing/fleet/fleet.ts';
import { warmUp } from '../testing/viewers/viewers.ts';

const INTERVAL_MS = 500;
let fleet: Fleet;

/** Starts a fleet that the tests of a `describe` share. */
function share(options: FleetOptions): void {
  beforeAll(async () => {
    fleet = await startFleet(options);
  });
  afterAll(endFleet);
}

async function endFleet(): Promise<void> {
  await fleet.checkAndStop();
  expect(fleet.apis.flatMap((api) => [...api.undocumented])).toEqual([]);
}

describe('three api and two worker processes', () => {
  share({ apis: 3, workers: 2, intervalMs: INTERVAL_MS, delayMs: 100 });

  it('serve 50 cameras to 200 viewers, and call each camera at most once per interval', async () => {
    const cameras = Array.from({ length: 50 }, (_, n) => fleet.slow.camera(`cam-${n}`));
    await warm(cameras);

    let slowestMs = 0;
    for (let turn = 0; turn < 10 && (await fleet.check()).pairs <= 200; turn += 1) {
      const turnSlowestMs = await pollAll(cameras, { viewers: 200, forMs: 6 * INTERVAL_MS });
      slowestMs = Math.max(slowestMs, turnSlowestMs);
    }

    // Each response was a hit, so no camera delayed it; 200 viewers in one process may be slow.
    expect(slowestMs).toBeLessThan(10_000);
    const verdict = await fleet.check();
    expect(verdict.cameras).toBe(50);
    expect(verdict.pairs).toBeGreaterThan(200);
    expect(verdict.smallestGapMs).toBeGreaterThanOrEqual(INTERVAL_MS - 20);
  });

  it('serve the new frame everywhere soon after one viewer requested it', async () => {
    const camera = fleet.slow.camera('everywhere');
    await warm([camera]);
    const first = (await apiOf(0).image(camera)).headers.get('etag');
    for (const api of fleet.apis) {
      await expect
        .poll(async () => (await api.image(camera)).headers.get('etag'), { timeout: 30_000 })
        .not.toBe(first);
    }
  });

  it('keep serving other cameras while one fails, and keep its last good frame', async () => {
    const [good, bad] = [fleet.slow.camera('good'), fleet.slow.camera('bad')];
    await warm([good, bad]);
    await fleet.slow.setBehaviour('bad', { as: 'html' });
    // A good frame may still be in flight.
    const isFailing = async () => {
      await lastFrameOf(bad);
      return fleet.workers.some(({ logs }) => logs.some(({ msg }) => msg === 'camera failing'));
    };
    await expect.poll(isFailing, { timeout: 20_000 }).toBe(true);
    const before = await lastFrameOf(bad);
    const callsBefore = (await callsTo(bad)).length;
    await expect
      .poll(
        async () => {
          expect((await apiOf(0).image(bad)).status).toBe(200);
          return (await callsTo(bad)).length;
        },
        { timeout: 30_000 },
      )
      .toBeGreaterThan(callsBefore + 2);
    expect(await lastFrameOf(bad)).toEqual(before);
    expect((await apiOf(0).image(good)).status).toBe(200);
    // Each failed job ran once: a retry would be a call without a request.
    expect(new Set(await attemptsOfFailedJobs())).toEqual(new Set(['1']));
  });

  it('send a camera conditional requests, and a 304 renews the age of its last frame', async () => {
    const camera = fleet.slow.camera('frozen', { as: 'frozen' });
    const first = await apiOf(0).image(camera);
    await first.arrayBuffer();
    const statuses = async () => {
      await (await apiOf(1).image(camera)).arrayBuffer();
      return (await callsTo(camera)).map(({ status }) => status);
    };
    // Long enough to distinguish a renewed age from one that only grows.
    await expect
      .poll(async () => (await statuses()).slice(0, 9), { timeout: 60_000 })
      .toEqual([200, ...Array.from({ length: 8 }, () => 304)]);
    // All pods send the same validators and lifetime: the image has not changed.
    const names = ['etag', 'last-modified', 'cache-control'];
    const answers = await Promise.all(fleet.apis.map((api) => api.image(camera)));
    for (const answer of answers) {
      expect(names.map((name) => answer.headers.get(name))).toEqual(
        names.map((name) => first.headers.get(name)),
      );
      const [modified, date] = ['last-modified', 'date'].map((name) =>
        Date.parse(answer.headers.get(name) ?? ''),
      );
      expect(modified).toBeLessThanOrEqual(date ?? 0);
      await answer.arrayBuffer();
    }
    for (const api of fleet.apis) {
      const age = async () => Number((await api.image(camera)).headers.get('age'));
      await expect.poll(age, { timeout: 20_000 }).toBeLessThanOrEqual(2);
    }
  });
});

describe('with an interval of a minute, they', () => {
  share({ apis: 3, workers: 2, intervalMs: 60_000, env: { COLD_WAIT: '60s' } });

  it('call a cold camera once for 300 viewers, and all get that frame', async () => {
    const camera = fleet.slow.camera('cold', { delay: '500ms' });
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, n) => {
        const response = await apiOf(n).image(camera);
        const bytes = Buffer.from(await response.arrayBuffer());
        return { status: response.status, etag: response.headers.get('etag'), size: bytes.length };
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ etag }) => etag)).size).toBe(1);
    expect(new Set(answers.map(({ size }) => size)).size).toBe(1);
    expect(await callsTo(camera)).toHaveLength(1);
  });

  it('return 502 for a cold camera that fails, and remember the failure', async () => {
    const camera = fleet.slow.camera('broken', { status: '500' });
    const answer = await apiOf(0).image(camera);
    expect(answer.status).toBe(502);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await answer.json()).toMatchObject({
      status: 502,
      detail: 'the camera responded with 500',
    });
    for (const api of fleet.apis) expect((await api.image(camera)).status).toBe(502);
    expect(await callsTo(camera)).toHaveLength(1);
  });
});

describe('one api and one worker process', () => {
  afterEach(endFleet);

  it('return 504 for a cold camera that times out', async () => {
    fleet = await startFleet({ env: { UPSTREAM_TIMEOUT: '300ms' } });
    expect((await apiOf(0).image(fleet.slow.camera('hangs', { delay: '1m' }))).status).toBe(504);
  });

  it('return 403 for an address that is not allowed, though only the worker finds out', async () => {
    fleet = await startFleet({ env: { ALLOWED_NETWORKS: '' } });
    const answer = await apiOf(0).image(fleet.slow.camera('inside'));
    expect(answer.status).toBe(403);
    expect(await fleet.slow.calls()).toEqual([]);
  });

  it('finish calls in flight on SIGTERM, then exit with code 0', async () => {
    fleet = await startFleet({ apis: 1, workers: 1, intervalMs: INTERVAL_MS, delayMs: 800 });
    const waiting = apiOf(0).image(fleet.slow.camera('last'));
    await expect.poll(async () => (await fleet.slow.calls()).length, { timeout: 20_000 }).toBe(1);
    const [worker] = fleet.workers;
    expect(await worker?.end('SIGTERM')).toBe(0);
    expect((await waiting).status).toBe(200);
    expect(await apiOf(0).end('SIGTERM')).toBe(0);
  });
});

function apiOf(n: number): Api {
  const api = fleet.apis[n % fleet.apis.length];
  if (!api) throw new Error('no api was started');
  return api;
}

async function warm(cameras: string[]): Promise<void> {
  const urls = fleet.apis.map(({ url }) => url);
  await warmUp(urls, cameras);
}

async function lastFrameOf(camera: string): Promise<Buffer> {
  return Buffer.from(await (await apiOf(0).image(camera)).arrayBuffer());
}

async function attemptsOfFailedJobs(): Promise<unknown[]> {
  const queue = `${fleet.redisPrefix}:refresh`;
  const ids = (await fleet.redis.command('ZRANGE', `${queue}:failed`, '0', '-1')) as string[];
  return await Promise.all(ids.map((id) => fleet.redis.command('HGET', `${queue}:${id}`, 'ats')));
}

async function callsTo(camera: string) {
  return (await fleet.slow.calls()).filter(({ url }) => url === camera);
}

/** Polls every camera with these viewers. Returns the slowest response time in ms. */
async function pollAll(cameras: string[], { viewers, forMs }: { viewers: number; forMs: number }) {
  const untilMs = performance.now() + forMs;
  let slowestMs = 0;
  const view = async (n: number) => {
    for (let turn = n; performance.now() < untilMs; turn += 1) {
      const startedMs = performance.now();
      const answer = await apiOf(n).image(cameras[turn % cameras.length] ?? '');
      await answer.arrayBuffer();
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-status')).toContain('; hit');
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      await sleep(INTERVAL_MS); // a viewer's pace, not a wait for anything
    }
  };
  await Promise.all(Array.from({ length: viewers }, (_, n) => view(n)));
  return slowestMs;
}
