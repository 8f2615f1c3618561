import { readdir } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { expectCleanEnd, expectPermitsEnd, recoveryMs } from '../../testing/checks/recovery.ts';
import { printMeasurements } from '../../testing/checks/report.ts';
import {
  expectServed,
  PATIENT_CALLS,
  PATIENT_LIFE_MS,
  PERMIT_LIFE_MS,
  SHORT_TIMES,
} from '../../testing/checks/short-faults.ts';
import { type Api, type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { residentMiB } from '../../testing/fleet/proc.ts';
import { startViewers, warmUp } from '../../testing/viewers/viewers.ts';

const INTERVAL_MS = 500;
/** How long the api waits for a request's head, and for a viewer that reads nothing. */
const [HEAD_MS, STALLED_MS] = [10_000, 10_000];
/** The api checks on timers of its own, and our clock starts before the last connection. */
const EARLY_MS = 3000;
/** What a busy machine may add. */
const SLACK_MS = 10_000;
let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

describe('a flood of 4,000 new cameras', () => {
  const MAX_WAITERS = 200;
  const FLOOD = 4000;

  it('leaves known cameras alone; new ones are served or rejected with Retry-After, within limits', async () => {
    const { api, cameras } = await startWarm({
      MAX_WAITERS: String(MAX_WAITERS),
      START_ALLOWANCE: '2s',
    });
    const before = await residentMiB(api.pid);
    const viewers = startViewers(() => [api.url], cameras);
    const queue = watchQueue();

    const startedMs = performance.now();
    const answers = await flood(api, FLOOD);
    const floodMs = performance.now() - startedMs;

    const served = answers.filter(({ status }) => status === 200).length;
    const unserved = answers.filter(({ status }) => status !== 200);
    const turnedAway = unserved.filter(({ detail }) =>
      /too many requests are waiting/.test(detail),
    );
    expect(turnedAway.length).toBeGreaterThan(0); // the limit was reached
    expect(
      unserved.filter(({ status }) => status !== 502 && status !== 503 && status !== 504),
    ).toEqual([]);
    expect(Math.min(...unserved.map(({ retryAfterS }) => retryAfterS))).toBeGreaterThanOrEqual(1);

    const drainMs = await untilQuiet();
    const recovered = await recoveryMs(fleet, api.url, cameras[0] ?? '');
    const longestQueue = await queue.stop();
    const seen = await viewers.stop();
    const called = new Set((await fleet.slow.calls()).map(({ url }) => url));
    const rssMiB = (await residentMiB(api.pid)) - before;
    const admitted = FLOOD - turnedAway.length;
    const cost = { floodMs, drainMs, longestQueue, recovered, rssMiB };
    printMeasurements('flood', { admitted, served, called: called.size, ...cost, ...seen });
    // The flood comes from the viewers' own process, which is slow for a moment.
    expectServed(seen, { p99Ms: 3000, medianMs: 500 });
    // A rejected request causes no call; a waiting one has one job at a time.
    expect(turnedAway.filter(({ camera }) => called.has(camera))).toEqual([]);
    expect(longestQueue).toBeLessThanOrEqual(2 * admitted);
    expect(recovered).toBeLessThan(INTERVAL_MS + SLACK_MS);
    expect(rssMiB).toBeLessThan(250);
    await expectNothingLeft(PERMIT_LIFE_MS + 1500);
  });
});

describe('slow viewers', () => {
  const READERS = 30;
  /** Connections that the other viewers open meanwhile: at most one each, and there are ten. */
  const OTHERS = 15;

  it('are disconnected in time when they send or read slowly, and other viewers notice nothing', async () => {
    const { api, cameras } = await startWarm({ ...PATIENT_CALLS, MAX_FRAME_SIZE: '16MiB' });
    const large = fleet.slow.camera('large', { bytes: '12MiB' });
    await warmUp([api.url], [large]);
    const before = await residentMiB(api.pid);
    const viewers = startViewers(() => [api.url], cameras);

    const others = await openFiles(api);
    const startedMs = performance.now();
    const request = `GET /images?url=${encodeURIComponent(large)} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const sockets = [
      ...Array.from({ length: 100 }, () => slowSocket(api)),
      ...Array.from({ length: 100 }, () => slowSocket(api, { says: HALF_A_HEAD })),
      ...Array.from({ length: 50 }, () => slowSocket(api, { says: HALF_A_HEAD, drips: true })),
      ...Array.from({ length: READERS }, () => slowSocket(api, { says: request, reads: 'slowly' })),
    ];
    // By the api's open files: a client that reads a byte a second sees the end much later.
    const untilOpen = async (most: number, timeout: number) => {
      await expect
        .poll(() => openFiles(api), { timeout })
        .toBeLessThanOrEqual(others + most + OTHERS);
      return performance.now() - startedMs;
    };
    await expect.poll(() => openFiles(api), { timeout: 8000 }).toBeGreaterThan(others + 250);
    const askersMs = await untilOpen(READERS, HEAD_MS + SLACK_MS);
    const readersMs = await untilOpen(0, STALLED_MS + SLACK_MS);
    for (const socket of sockets) socket.end();
    const rssMiB = (await residentMiB(api.pid)) - before;
    const seen = await viewers.stop();
    printMeasurements('slow viewers', { askersMs, readersMs, rssMiB, ...seen });
    expect(askersMs).toBeGreaterThan(HEAD_MS - EARLY_MS);
    expect(readersMs).toBeGreaterThan(STALLED_MS - EARLY_MS);
    expect(rssMiB).toBeLessThan(150); // not 30 × 12 MiB
    expectServed(seen);
    await expectNothingLeft(PATIENT_LIFE_MS);
  });
});

describe('viewers that wait for a first frame', () => {
  const MAX_WAITERS = 40;
  const TOO_MANY = 5;

  it('are rejected beyond the limit, and leave nothing behind when they disconnect', async () => {
    const { api, cameras } = await startWarm({
      MAX_WAITERS: String(MAX_WAITERS),
      // A single client would get only half of them.
      TRUSTED_PROXIES: '127.0.0.0/8',
      // Longer than a busy machine takes to reject the others.
      ...PATIENT_CALLS,
      COLD_WAIT: '20s',
    });
    const viewers = startViewers(() => [api.url], cameras);
    for (let round = 0; round < 3; round += 1) {
      const leaving = new AbortController();
      const turnedAway: Response[] = [];
      const waits = Array.from({ length: MAX_WAITERS + TOO_MANY }, async (_, n) => {
        const camera = fleet.slow.camera(`hangs-${round}-${n}`, { delay: '1m' });
        const headers = { 'X-Forwarded-For': `203.0.113.${n}` };
        const answer = await api.image(camera, { headers, signal: leaving.signal });
        if (answer.status === 503) turnedAway.push(answer);
      });
      const ended = Promise.allSettled(waits);
      await expect.poll(() => turnedAway.length, { timeout: 9000 }).toBe(TOO_MANY);
      for (const answer of turnedAway) {
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
        expect(await answer.text()).toMatch(/too many requests are waiting/);
      }
      leaving.abort();
      // All the others waited until they left; a leaked place would leave fewer for the next round.
      expect((await ended).filter(({ status }) => status === 'rejected')).toHaveLength(MAX_WAITERS);
      await expect.poll(() => waitersOf(api), { timeout: 30_000 }).toBe(0);
    }
    const hanging = async () =>
      (await fleet.slow.calls()).filter(({ name }) => name.startsWith('hangs'));
    // Jobs of viewers that left at once may still be on their way when the queue seems quiet.
    await expect
      .poll(async () => (await hanging()).length, { timeout: 60_000 })
      .toBe(3 * MAX_WAITERS);
    const drainMs = await untilQuiet();
    printMeasurements('cold waits', { drainMs });
    // Each camera was called once for its viewer, and not again after they left.
    for (let turn = 0; turn < 4; turn += 1) await recoveryMs(fleet, api.url, cameras[0] ?? '');
    const calls = await hanging();
    expect(calls.length).toBe(3 * MAX_WAITERS);
    expect(new Set(calls.map(({ url }) => url)).size).toBe(calls.length);
    expectServed(await viewers.stop());
    await expectNothingLeft(PATIENT_LIFE_MS);
  });
});

const HALF_A_HEAD = 'GET /images?url=x HTTP/1.1\r\nHost: a\r\nX-Slow: ';

interface SlowSocket {
  end(): void;
}

/** Sends `says`, then a byte a second if it drips; reads all, or a byte a second. */
function slowSocket(
  api: Api,
  { says = '', drips = false, reads = 'all' as 'all' | 'slowly' } = {},
): SlowSocket {
  const callback = () => {
    if (reads === 'slowly') socket.pause();
    return true;
  };
  const socket: Socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(api.url).port),
    onread: { buffer: Buffer.alloc(reads === 'all' ? 1024 : 1), callback },
  });
  socket.on('error', () => {}); // the test expects to be cut off
  socket.on('connect', () => socket.write(says));
  const ticking = setInterval(() => {
    if (drips) socket.write('x');
    socket.resume();
  }, 1000);
  return {
    end: () => {
      clearInterval(ticking);
      socket.destroy();
    },
  };
}

async function startWarm(env: Record<string, string>) {
  fleet = await startFleet({
    intervalMs: INTERVAL_MS,
    delayMs: 50,
    env: { ...SHORT_TIMES, ...env },
  });
  const cameras = Array.from({ length: 5 }, (_, n) => fleet.slow.camera(`cam-${n}`));
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  await warmUp([api.url], cameras);
  return { api, cameras };
}

async function expectNothingLeft(lifeMs = PERMIT_LIFE_MS): Promise<void> {
  await expectPermitsEnd(fleet, lifeMs);
  await expectCleanEnd(fleet);
}

interface Answer {
  camera: string;
  status: number;
  detail: string;
  retryAfterS: number;
}

/** Requests `count` new cameras, 500 at a time. */
async function flood(api: Api, count: number): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 500 });
  const requestNew = (n: number) =>
    new Promise<Answer>((resolve, reject) => {
      const camera = fleet.slow.camera(`new-${n}`);
      get(`${api.url}/images?url=${encodeURIComponent(camera)}`, { agent }, async (answer) => {
        const { statusCode: status = 0, headers } = answer;
        const detail = status === 200 ? '' : await text(answer);
        answer.resume();
        resolve({ camera, status, detail, retryAfterS: Number(headers['retry-after']) });
      }).on('error', reject);
    });
  try {
    return await Promise.all(Array.from({ length: count }, (_, n) => requestNew(n)));
  } finally {
    agent.destroy();
  }
}

/** Records the longest length of the queue until stopped. */
function watchQueue() {
  let longest = 0;
  const poll = async () => {
    longest = Math.max(longest, await jobsWaiting());
  };
  const timer = setInterval(() => void poll().catch(() => {}), 100);
  return {
    stop: async () => {
      clearInterval(timer);
      await poll();
      return longest;
    },
  };
}

async function jobsWaiting(): Promise<number> {
  return (await fleet.redis.command('LLEN', `${fleet.redisPrefix}:refresh:wait`)) as number;
}

/** Waits until hardly a job or call of a flood is left. Returns how long that took, in ms. */
async function untilQuiet(): Promise<number> {
  const startedMs = performance.now();
  const busy = async () => {
    const open = (await fleet.slow.calls()).filter(
      ({ endMs, name }) => endMs === null && !name.startsWith('cam-'),
    );
    return open.length + (await jobsWaiting());
  };
  await expect.poll(busy, { timeout: 60_000 }).toBeLessThanOrEqual(5);
  return performance.now() - startedMs;
}

async function waitersOf(api: Api): Promise<number> {
  const metrics = await (await fetch(`${api.opsUrl}/metrics`)).text();
  return Number(/^lastframe_waiters(?:\{.*\})? (\d+)/m.exec(metrics)?.[1]);
}

async function openFiles(api: Api): Promise<number> {
  return (await readdir(`/proc/${api.pid}/fd`)).length;
}
