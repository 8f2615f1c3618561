import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { earliestTimeOf, type UpstreamCall } from '../../testing/checks/checker.ts';
import { expectCleanEnd, expectPermitsEnd } from '../../testing/checks/recovery.ts';
import { printMeasurements } from '../../testing/checks/report.ts';
import {
  expectServed,
  PATIENT_CALLS,
  PATIENT_LIFE_MS,
  PERMIT_LIFE_MS,
  SHORT_TIMES,
} from '../../testing/checks/short-faults.ts';
import { nameServerEnv } from '../../testing/fleet/asking-name-server.ts';
import { type Api, type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { residentMiB } from '../../testing/fleet/proc.ts';
import { freePort } from '../../testing/redis/redis-server.ts';
import { startViewers, warmUp } from '../../testing/viewers/viewers.ts';
import { SERVFAIL, startDns } from '../../worker/src/test-support/dns-server.ts';

const INTERVAL_MS = 500;
/** Longer than a call that fails at once takes on a busy machine. Hanging calls take all of it. */
const TIMEOUT_MS = 4000;
const RETRY_AFTER_S = 3;
/** What a busy machine with two cores may add to any recovery. */
const SLACK_MS = 20_000;

/** What a camera does, and the problem that a viewer without a frame gets. */
const FAULTS: Record<string, { query: Record<string, string>; status: 502 | 504; says: RegExp }> = {
  'error-500': { query: { status: '500' }, status: 502, says: /responded with 500/ },
  'busy-429': {
    query: { status: '429', retryAfter: String(RETRY_AFTER_S) },
    status: 502,
    says: /responded with 429/,
  },
  hang: { query: { delay: '1m' }, status: 504, says: /did not respond within 4000 ms/ },
  drip: { query: { as: 'drip' }, status: 504, says: /did not send a whole image within 4000 ms/ },
  huge: { query: { as: 'huge' }, status: 502, says: /larger than 2097152 bytes/ },
  endless: { query: { as: 'endless' }, status: 502, says: /larger than 2097152 bytes/ },
  empty: { query: { as: 'empty' }, status: 502, says: /empty body/ },
  truncated: { query: { as: 'truncated' }, status: 502, says: /closed the connection/ },
  cut: { query: { as: 'cut' }, status: 502, says: /truncated image/ },
  html: { query: { as: 'html' }, status: 502, says: /sent no JPEG, PNG/ },
  redirect: { query: { as: 'redirect' }, status: 502, says: /responded with 302/ },
};
const NAMES = Object.keys(FAULTS);
/** Failures to wait for: hanging cameras need as long for two as the others for three. */
const failuresDue = (name: string) => (name === 'hang' || name === 'drip' ? 2 : 3);
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

describe('cameras that fail or lie', () => {
  it('keep their last good frame, are called less and less often, and recover with a good call', async () => {
    const api = await start({
      MAX_FRAME_SIZE: '2MiB',
      UPSTREAM_TIMEOUT: `${TIMEOUT_MS}ms`,
      START_ALLOWANCE: '4s',
    });
    const cameras = NAMES.map((name) => fleet.slow.camera(name));
    const good = fleet.slow.camera('good');
    await warmUp([api.url], [...cameras, good]);
    const viewers = startViewers(() => [api.url], [...cameras, good], { viewers: 8 });

    await Promise.all(NAMES.map((name) => fleet.slow.setBehaviour(name, FAULTS[name]?.query)));
    const goodUpTo = await lastNumber();
    const tooFew = async () =>
      (await failuresSince(goodUpTo))
        .filter(({ name, starts }) => starts.length < failuresDue(name))
        .map(({ name }) => name);
    await Promise.all([
      expect.poll(tooFew, { timeout: 60_000 }).toEqual([]),
      ...NAMES.map((name) => expectColdProblem(api, name)),
    ]);

    // Calls from before the fault have ended: the last good frame is served now.
    const lastGood = await Promise.all(cameras.map((camera) => requestImage(api, camera)));
    expect(lastGood.map(({ status }) => status)).toEqual(cameras.map(() => 200));
    const failures = await failuresSince(goodUpTo);
    const pauses = await fleet.slow.pauses();
    for (const { name, starts } of failures) {
      for (const [n, startMs] of starts.entries()) {
        const gapMs = startMs - earliestTimeOf(starts[n - 1] ?? Number.NEGATIVE_INFINITY, pauses);
        expect(gapMs, `${name} after failure ${n}`).toBeGreaterThan(leastGapMs(name, n));
      }
    }
    expect(await callsTo('elsewhere')).toEqual([]); // no redirect was followed
    const ages = await Promise.all(cameras.map((camera) => requestImage(api, camera)));
    expect(Math.min(...ages.map(({ ageS }) => ageS))).toBeGreaterThanOrEqual(3);
    expect(ages.map(({ etag }) => etag)).toEqual(lastGood.map(({ etag }) => etag));
    const ageOfGood = async () => (await requestImage(api, good)).ageS;
    await expect.poll(ageOfGood, { timeout: 20_000 }).toBeLessThanOrEqual(2);

    const backOffMs = await longestBackOffMs();
    const healedAtMs = performance.now();
    await Promise.all(NAMES.map((name) => fleet.slow.setBehaviour(name)));
    const healMs = await Promise.all(
      cameras.map(async (camera, n) => {
        const isNew = async () => (await requestImage(api, camera)).etag !== lastGood[n]?.etag;
        await expect.poll(isNew, { timeout: 60_000 }).toBe(true);
        return performance.now() - healedAtMs;
      }),
    );
    printMeasurements('cameras that fail', {
      backOffMs,
      ...Object.fromEntries(NAMES.map((name, n) => [name, Math.round(healMs[n] ?? 0)])),
    });
    // The next call may come a full back-off after a failure that began after the check.
    expect(Math.max(...healMs)).toBeLessThan(backOffMs + SLACK_MS);
    expectServed(await viewers.stop());
    await expectNothingLeft(TIMEOUT_MS + 2000 + 4000);
  });

  it('cost the worker no memory, however much they send', async () => {
    const api = await start({ ...PATIENT_CALLS, MAX_FRAME_SIZE: '1MiB', COLD_WAIT: '30s' });
    const [worker] = fleet.workers;
    const pid = worker?.pid ?? 0;
    const floods = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) =>
        fleet.slow.camera(`flood-${from + n}`, { as: n % 2 ? 'huge' : 'endless' }),
      );
    const requestAll = async (cameras: string[]) => {
      const statuses = await Promise.all(cameras.map((camera) => statusOf(api, camera)));
      expect(new Set(statuses)).toEqual(new Set([502]));
    };
    // Up to its usual size.
    for (let round = 0; round < 3; round += 1) await requestAll(floods(20 * round, 20));
    const before = await residentMiB(pid);
    const sizes = [before];
    for (let round = 3; round < 9; round += 1) {
      await requestAll(floods(20 * round, 20));
      sizes.push(await residentMiB(pid));
    }
    printMeasurements('endless and huge bodies', {
      calls: (await fleet.slow.calls()).length,
      before,
      sizes,
    });
    // 120 more bodies, with 1 MiB read of each: keeping them would take 120 MiB.
    expect(Math.max(...sizes.slice(-3)) - before).toBeLessThan(60);
    await expectNothingLeft(PATIENT_LIFE_MS);
  });
});

describe('a camera that cannot be reached', () => {
  it('because the resolver is down: keeps its frame, and recovers', async () => {
    let isDown = false;
    const dns = await startDns(() => (isDown ? { rcode: SERVFAIL } : { addresses: ['127.0.0.1'] }));
    onTestFinished(dns.close);
    const api = await start({
      ALLOWED_SOURCES: 'http://cams.test:*/*',
      LOG_LEVEL: 'debug',
      ...nameServerEnv(dns),
    });
    const camera = fleet.slow.camera('by-name').replace('127.0.0.1', 'cams.test');
    await warmUp([api.url], [camera]);
    const viewers = startViewers(() => [api.url], [camera]);

    isDown = true;
    const failures = () =>
      (fleet.workers[0]?.logs ?? []).filter(({ outcome }) =>
        /name servers failed to resolve/.test(String(outcome)),
      );
    await expect.poll(() => failures().length, { timeout: 60_000 }).toBeGreaterThanOrEqual(3);
    const { etag, ageS, status } = await requestImage(api, camera);
    expect(status).toBe(200);
    expect(ageS).toBeGreaterThanOrEqual(2);
    const times = failures().map(({ time }) => Date.parse(String(time)));
    for (const [n, timeMs] of times.entries()) {
      // By the worker's clock; it may have logged the earlier one late.
      if (n > 0) expect(timeMs - (times[n - 1] ?? 0)).toBeGreaterThan(INTERVAL_MS / 2);
    }

    const healedAtMs = performance.now();
    isDown = false;
    const isNew = async () => (await requestImage(api, camera)).etag !== etag;
    await expect.poll(isNew, { timeout: 60_000 }).toBe(true);
    const recovered = performance.now() - healedAtMs;
    const tries = failures().length; // it may have failed once more before that
    printMeasurements('resolver down', { recovered, tries });
    // After n failures in a row the back-off is I · 2ⁿ⁻¹.
    expect(recovered).toBeLessThan(INTERVAL_MS * 2 ** tries + SLACK_MS);
    expectServed(await viewers.stop());
    await expectNothingLeft();
  });

  it('because its name is unknown or nothing listens: 502 at once, then from memory; it recovers', async () => {
    const port = await freePort();
    const closedUrl = `http://127.0.0.1:${port}/late.jpg`;
    const intervalMs = 6000; // how long a failure is remembered
    const api = await start({
      ...PATIENT_CALLS,
      ALLOWED_SOURCES: 'http://127.0.0.1:*/*,http://camera.invalid/*',
      INTERVAL: `${intervalMs}ms`,
      COLD_WAIT: '30s',
    });

    const unknown = await problemOf(await api.image('http://camera.invalid/a.jpg'));
    expect(unknown).toMatchObject({ status: 502, detail: "the camera's host name is unknown" });
    const closed = await problemOf(await api.image(closedUrl));
    expect(closed).toMatchObject({ status: 502, detail: 'the camera refused the connection' });
    const startedMs = performance.now();
    expect((await problemOf(await api.image(closedUrl))).status).toBe(502);
    expect(performance.now() - startedMs).toBeLessThan(intervalMs - 1000);

    const picture = Buffer.from(await (await fetch(fleet.slow.camera('any'))).arrayBuffer());
    const calledAtMs: number[] = [];
    const server = createServer((_, res) => {
      calledAtMs.push(performance.now());
      res.end(picture);
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const healedAtMs = performance.now();
    await warmUp([api.url], [closedUrl]);
    printMeasurements('connection refused', { recovered: performance.now() - healedAtMs });
    expect(performance.now() - healedAtMs).toBeLessThan(intervalMs + SLACK_MS);
    const sinceFirstMs = performance.now() - (calledAtMs[0] ?? 0);
    expect(calledAtMs.length).toBeLessThanOrEqual(1 + Math.ceil(sinceFirstMs / intervalMs));
    server.close();
    await expectNothingLeft(PATIENT_LIFE_MS);
  });
});

async function start(env: Record<string, string> = {}): Promise<Api> {
  fleet = await startFleet({
    intervalMs: INTERVAL_MS,
    delayMs: 50,
    env: { ...SHORT_TIMES, COLD_WAIT: '10s', ...env },
  });
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  return api;
}

async function expectNothingLeft(lifeMs = PERMIT_LIFE_MS): Promise<void> {
  await expectPermitsEnd(fleet, lifeMs);
  await expectCleanEnd(fleet);
}

/** Returns the status after a call of the camera: first it is 503 if the permit came too late. */
async function statusOf(api: Api, camera: string): Promise<number> {
  const request = async () => {
    const answer = await api.image(camera);
    await answer.arrayBuffer();
    return answer.status;
  };
  const status = await request();
  return status === 503 ? await request() : status;
}

async function requestImage(api: Api, camera: string) {
  const answer = await api.image(camera);
  await answer.arrayBuffer();
  const { status, headers } = answer;
  return { status, etag: headers.get('etag'), ageS: Number(headers.get('age')) };
}

async function problemOf(answer: Response) {
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  return { status: answer.status, ...((await answer.json()) as { detail: string }) };
}

/** Expects the problem for a cold camera of this behaviour, the second time from memory. */
async function expectColdProblem(api: Api, name: string): Promise<void> {
  const fault = FAULTS[name];
  const camera = fleet.slow.camera(`cold-${name}`, fault?.query);
  for (const isRemembered of [false, true]) {
    const answer = await api.image(camera);
    const { status, detail } = await problemOf(answer);
    expect(status, `${name}: ${detail}`).toBe(fault?.status);
    expect(detail).toMatch(fault?.says ?? '');
    if (name === 'busy-429' && !isRemembered) {
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(RETRY_AFTER_S);
    }
  }
}

async function callsTo(name: string): Promise<UpstreamCall[]> {
  return (await fleet.slow.calls()).filter((call) => call.name === name);
}

/** Returns the number of the upstream's last call. */
async function lastNumber(): Promise<number> {
  return (await fleet.slow.calls()).at(-1)?.number ?? 0;
}

/** Returns the starts of each camera's calls after this one, all of which failed. */
async function failuresSince(number: number): Promise<{ name: string; starts: number[] }[]> {
  const calls = (await fleet.slow.calls()).filter((call) => call.number > number);
  return NAMES.map((name) => ({
    name,
    starts: calls.filter((call) => call.name === name).map(({ startMs }) => startMs),
  }));
}

/** Returns the shortest time from a camera's nth failure in a row to its next call. */
function leastGapMs(name: string, n: number): number {
  const backOffMs = n === 1 ? INTERVAL_MS : INTERVAL_MS * 2 ** (n - 1);
  // Retry-After is respected, and a camera that timed out may still be working.
  const ownMs = { 'busy-429': RETRY_AFTER_S * 1000, hang: 2 * TIMEOUT_MS, drip: 2 * TIMEOUT_MS };
  return Math.max(backOffMs, ownMs[name as keyof typeof ownMs] ?? 0) - 20;
}

/** Returns the longest remaining back-off of the fleet. */
async function longestBackOffMs(): Promise<number> {
  const keys = (await fleet.redis.command('KEYS', `${fleet.redisPrefix}:backoff:*`)) as string[];
  const left = await Promise.all(keys.map((key) => fleet.redis.command('PTTL', key)));
  return Math.max(0, ...left.map(Number));
}
