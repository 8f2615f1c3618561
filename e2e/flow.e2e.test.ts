import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Api, type Fleet, startFleet } from '../testing/fleet.ts';
import { warmUp } from '../testing/viewers.ts';

const INTERVAL_MS = 500;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
  expect(fleet.apis.flatMap((api) => [...api.undocumented])).toEqual([]);
});

describe('the whole flow', () => {
  it('serves 50 cameras to hundreds of viewers from three api and two worker processes, each camera called at most once per interval', async () => {
    fleet = await startFleet({ apis: 3, workers: 2, intervalMs: INTERVAL_MS, delayMs: 100 });
    const cameras = Array.from({ length: 50 }, (_, n) => fleet.slow.camera(`cam-${n}`));
    await warm(cameras);

    let slowestMs = 0;
    for (let turn = 0; turn < 10 && (await fleet.check()).pairs <= 200; turn += 1) {
      const seenMs = await watch(cameras, { viewers: 200, forMs: 6 * INTERVAL_MS });
      slowestMs = Math.max(slowestMs, seenMs);
    }

    // That nobody waited for a camera is in each answer; 200 viewers in one process may be slow.
    expect(slowestMs).toBeLessThan(10_000);
    const verdict = await fleet.check();
    expect(verdict.cameras).toBe(50);
    expect(verdict.pairs).toBeGreaterThan(200);
    expect(verdict.smallestGapMs).toBeGreaterThanOrEqual(INTERVAL_MS - 20);
  });

  it('calls a cold camera once for 300 viewers on three api processes, and all get that frame', async () => {
    const env = { COLD_WAIT: '60s' };
    fleet = await startFleet({ apis: 3, workers: 2, intervalMs: 60_000, delayMs: 500, env });
    const camera = fleet.slow.camera('cold');
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
    expect(await fleet.slow.calls()).toHaveLength(1);
  });

  it('shows the new frame on every api process soon after one viewer asked for it', async () => {
    fleet = await startFleet({ apis: 3, workers: 1, intervalMs: INTERVAL_MS });
    const camera = fleet.slow.camera('everywhere');
    await warm([camera]);
    const first = (await apiOf(0).image(camera)).headers.get('etag');
    for (const api of fleet.apis) {
      await expect
        .poll(async () => (await api.image(camera)).headers.get('etag'), { timeout: 30_000 })
        .not.toBe(first);
    }
  });

  it('goes on with other cameras while one fails, and keeps its last good frame', async () => {
    fleet = await startFleet({ intervalMs: INTERVAL_MS });
    const [good, bad] = [fleet.slow.camera('good'), fleet.slow.camera('bad')];
    await warm([good, bad]);
    await fleet.slow.behave('bad', { as: 'html' });
    // A good frame may have been under way.
    const isFailing = async () => {
      await lastOf(bad);
      return fleet.workers[0]?.logs.some(({ msg }) => msg === 'camera failing');
    };
    await expect.poll(isFailing, { timeout: 20_000 }).toBe(true);
    const before = await lastOf(bad);
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
    expect(await lastOf(bad)).toEqual(before);
    expect((await apiOf(0).image(good)).status).toBe(200);
    // Each failure was one job, tried once: a retry would be a call that nobody asked for.
    expect(new Set(await attemptsOfFailedJobs())).toEqual(new Set(['1']));
  });

  it('answers a cold camera that fails with 502 and remembers it', async () => {
    fleet = await startFleet({ intervalMs: 5000, delayMs: 100 });
    const camera = fleet.slow.camera('broken', { status: '500' });
    const answer = await apiOf(0).image(camera);
    expect(answer.status).toBe(502);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await answer.json()).toMatchObject({ status: 502, detail: 'the camera answered 500' });
    expect((await apiOf(0).image(camera)).status).toBe(502);
    expect(await fleet.slow.calls()).toHaveLength(1);
  });

  it('asks a camera only for a frame that is new, and a 304 makes the last one younger', async () => {
    fleet = await startFleet({ apis: 2, intervalMs: INTERVAL_MS });
    const camera = fleet.slow.camera('frozen', { as: 'frozen' });
    const first = await apiOf(0).image(camera);
    await first.arrayBuffer();
    const statuses = async () => {
      await (await apiOf(1).image(camera)).arrayBuffer();
      return (await fleet.slow.calls()).map(({ status }) => status);
    };
    // Long enough for an age that is not renewed to be told from one that is.
    await expect
      .poll(async () => (await statuses()).slice(0, 9), { timeout: 60_000 })
      .toEqual([200, ...Array.from({ length: 8 }, () => 304)]);
    // Two pods give the same validators and lifetime; the image has not changed.
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

  it('answers a cold camera that times out with 504', async () => {
    fleet = await startFleet({ env: { UPSTREAM_TIMEOUT: '300ms' } });
    expect((await apiOf(0).image(fleet.slow.camera('hangs', { delay: '1m' }))).status).toBe(504);
  });

  it('refuses an address that is not allowed with 403, though only the worker finds out', async () => {
    fleet = await startFleet({ env: { ALLOWED_NETWORKS: '' } });
    const answer = await apiOf(0).image(fleet.slow.camera('inside'));
    expect(answer.status).toBe(403);
    expect(await fleet.slow.calls()).toEqual([]);
  });

  it('ends every process in order on SIGTERM, with exit code 0 and calls in flight finished', async () => {
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

async function lastOf(camera: string): Promise<Buffer> {
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

/** Viewers that look at every camera again and again; gives the slowest answer. */
async function watch(cameras: string[], { viewers, forMs }: { viewers: number; forMs: number }) {
  const untilMs = performance.now() + forMs;
  let slowestMs = 0;
  const view = async (n: number) => {
    for (let look = n; performance.now() < untilMs; look += 1) {
      const startedMs = performance.now();
      const answer = await apiOf(n).image(cameras[look % cameras.length] ?? '');
      await answer.arrayBuffer();
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-status')).toContain('; hit');
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      await sleep(50); // a viewer's own pace, not a wait for something
    }
  };
  await Promise.all(Array.from({ length: viewers }, (_, n) => view(n)));
  return slowestMs;
}
