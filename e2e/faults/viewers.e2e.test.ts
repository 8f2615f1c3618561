import { readdir } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Api, type Fleet, startFleet } from '../support/fleet.ts';
import { residentMiB } from '../support/proc.ts';
import { expectCleanEnd, expectPermitsEnd, recoveryMs } from '../support/recovery.ts';
import { report } from '../support/report.ts';
import { expectServed, LIFE_MS, SHORT_TIMES } from '../support/short-faults.ts';
import { startViewers, warmUp } from '../support/viewers.ts';

const INTERVAL_MS = 500;
/** The api waits so long for a request's head, and for a viewer that takes nothing of its answer. */
const [HEAD_MS, STALLED_MS] = [10_000, 20_000];
const SLACK_MS = 3000;
let fleet: Fleet;

afterEach(async () => {
  await fleet.check();
  await fleet.stop();
});

describe('a flood of 10,000 new cameras', () => {
  const MAX_WAITERS = 200;

  it('leaves the known ones as they were; new ones are served or told to come back, in bounds', async () => {
    const { api, cameras } = await startWarm({ MAX_WAITERS: String(MAX_WAITERS) });
    const before = await residentMiB(api.pid);
    const viewers = startViewers(() => [api.url], cameras);
    const queue = watchQueue();

    const startedMs = performance.now();
    const answers = await flood(api, 10_000);
    const floodMs = performance.now() - startedMs;

    const served = answers.filter(({ status }) => status === 200).length;
    const refused = answers.filter(({ status }) => status === 503);
    expect(served + refused.length).toBe(10_000);
    expect(refused.length).toBeGreaterThan(0); // the bound was reached
    expect(Math.min(...refused.map(({ retryAfterS }) => retryAfterS))).toBeGreaterThanOrEqual(1);

    const drainMs = await untilQuiet();
    const recovered = await recoveryMs(fleet, api.url, cameras[0] ?? '');
    const longestQueue = await queue.stop();
    const seen = await viewers.stop();
    const { calls } = await fleet.check();
    const rssMiB = (await residentMiB(api.pid)) - before;
    report('flood', { floodMs, served, drainMs, longestQueue, calls, recovered, rssMiB, ...seen });
    expectServed(seen);
    expect(seen.oldestAgeS).toBeLessThanOrEqual(5);
    // Who was turned away asks for nothing.
    expect(longestQueue).toBeLessThan(2 * MAX_WAITERS);
    expect(drainMs).toBeLessThan(5000);
    expect(recovered).toBeLessThan(INTERVAL_MS + SLACK_MS);
    expect(rssMiB).toBeLessThan(250);
    await expectNothingLeft();
  });
});

describe('viewers that take their time', () => {
  it('to ask or to read are cut off in time, and nobody else notices', async () => {
    const { api, cameras } = await startWarm({ MAX_FRAME_SIZE: '16MiB', UPSTREAM_TIMEOUT: '5s' });
    const large = fleet.slow.camera('large', { bytes: '12MiB' });
    await warmUp([api.url], [large]);
    const before = await residentMiB(api.pid);
    const viewers = startViewers(() => [api.url], cameras);

    const startedMs = performance.now();
    const silent = Array.from({ length: 100 }, () => slowSocket(api));
    const halves = Array.from({ length: 100 }, () => slowSocket(api, { says: HALF_A_HEAD }));
    const drips = Array.from({ length: 50 }, () =>
      slowSocket(api, { says: HALF_A_HEAD, drips: true }),
    );
    const readers = Array.from({ length: 20 }, () =>
      slowSocket(api, {
        says: `GET /images?url=${encodeURIComponent(large)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      }),
    );
    await expect.poll(() => openSockets(api), { timeout: 5000 }).toBeGreaterThan(250);
    const endedMs = async (sockets: SlowSocket[]) => {
      await Promise.all(sockets.map(({ closed }) => closed));
      return performance.now() - startedMs;
    };
    const [silentMs, halvesMs, dripsMs, readersMs] = await Promise.all(
      [silent, halves, drips, readers].map(endedMs),
    );
    const rssMiB = (await residentMiB(api.pid)) - before;
    const seen = await viewers.stop();
    report('slow viewers', { silentMs, halvesMs, dripsMs, readersMs, rssMiB, ...seen });
    expect(Math.max(silentMs ?? 0, halvesMs ?? 0, dripsMs ?? 0)).toBeLessThan(HEAD_MS + SLACK_MS);
    expect(readersMs).toBeGreaterThan(STALLED_MS);
    expect(readersMs).toBeLessThan(STALLED_MS + HEAD_MS + SLACK_MS);
    expect(Math.max(...readers.map(({ received }) => received()))).toBeLessThan(12 * 1024 ** 2);
    expect(rssMiB).toBeLessThan(150); // not 20 × 12 MiB
    expectServed(seen);
    await expectNothingLeft();
  });
});

describe('viewers that wait for a first frame', () => {
  const MAX_WAITERS = 20;

  it('are turned away beyond the bound, and leave nothing behind when they go', async () => {
    const { api, cameras } = await startWarm({
      MAX_WAITERS: String(MAX_WAITERS),
      COLD_WAIT: '10s',
      UPSTREAM_TIMEOUT: '5s',
    });
    const viewers = startViewers(() => [api.url], cameras);
    const baseline = await openSockets(api);
    const hanging = Array.from({ length: MAX_WAITERS }, (_, n) =>
      fleet.slow.camera(`hangs-${n}`, { delay: '1m' }),
    );
    for (let round = 0; round < 3; round += 1) {
      const gone = new AbortController();
      const waits = hanging.map((camera) => api.image(camera, { signal: gone.signal }));
      waits.map((wait) => wait.catch(() => {}));
      await expect.poll(() => isFull(api), { timeout: 5000 }).toBe(true);
      gone.abort();
      expect((await Promise.allSettled(waits)).map(({ status }) => status)).toEqual(
        waits.map(() => 'rejected'),
      );
      await expect.poll(() => isFull(api), { timeout: 5000 }).toBe(false);
    }
    await expect.poll(() => openSockets(api), { timeout: 10_000 }).toBeLessThan(baseline + 10);

    const drainMs = await untilQuiet();
    const calls = (await fleet.slow.calls()).filter(({ name }) => name.startsWith('hangs'));
    report('cold waits', { calls: calls.length, drainMs });
    // Each camera was called for those who waited, and not again for those who had gone.
    expect(calls.length).toBeLessThanOrEqual(2 * MAX_WAITERS);
    for (let turn = 0; turn < 4; turn += 1) await recoveryMs(fleet, api.url, cameras[0] ?? '');
    const later = (await fleet.slow.calls()).filter(({ name }) => name.startsWith('hangs'));
    expect(later.length).toBe(calls.length);
    expectServed(await viewers.stop());
    await expectNothingLeft(LIFE_MS + 4000);
  });
});

const HALF_A_HEAD = 'GET /images?url=x HTTP/1.1\r\nHost: a\r\nX-Slow: ';

interface SlowSocket {
  closed: Promise<unknown>;
  received(): number;
}

/** Says something or nothing, then perhaps a byte a second; reads a byte a second. */
function slowSocket(api: Api, { says = '', drips = false } = {}): SlowSocket {
  let received = 0;
  const readOne = () => {
    received += 1;
    socket.pause();
    return true;
  };
  const socket: Socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(api.url).port),
    onread: { buffer: Buffer.alloc(1), callback: readOne },
  });
  socket.on('error', () => {});
  socket.on('connect', () => socket.write(says));
  const ticking = setInterval(() => {
    if (drips) socket.write('x');
    socket.resume();
  }, 1000);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return { closed: closed.finally(() => clearInterval(ticking)), received: () => received };
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

async function expectNothingLeft(lifeMs = LIFE_MS): Promise<void> {
  await expectPermitsEnd(fleet, lifeMs);
  await expectCleanEnd(fleet);
}

/** Asks for so many cameras that nobody has asked for before, 500 at a time. */
async function flood(api: Api, count: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 500 });
  const ask = (n: number) =>
    new Promise<{ status: number; retryAfterS: number }>((resolve, reject) => {
      const camera = encodeURIComponent(fleet.slow.camera(`new-${n}`));
      get(`${api.url}/images?url=${camera}`, { agent }, (answer) => {
        const retryAfterS = Number(answer.headers['retry-after']);
        answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, retryAfterS }));
      }).on('error', reject);
    });
  try {
    return await Promise.all(Array.from({ length: count }, (_, n) => ask(n)));
  } finally {
    agent.destroy();
  }
}

/** The longest that the queue gets until stopped. */
function watchQueue() {
  let longest = 0;
  const look = async () => {
    longest = Math.max(longest, await jobsWaiting());
  };
  const looking = setInterval(() => void look().catch(() => {}), 100);
  return {
    stop: async () => {
      clearInterval(looking);
      await look();
      return longest;
    },
  };
}

async function jobsWaiting(): Promise<number> {
  return (await fleet.redis.command('LLEN', `${fleet.redisPrefix}:refresh:wait`)) as number;
}

/** How long it takes until nothing of a flood waits or is called any more. */
async function untilQuiet(): Promise<number> {
  const startedMs = performance.now();
  const busy = async () => {
    const open = (await fleet.slow.calls()).filter(
      ({ endMs, name }) => endMs === null && !name.startsWith('cam-'),
    );
    return open.length + (await jobsWaiting());
  };
  await expect.poll(busy, { timeout: 30_000 }).toBeLessThanOrEqual(5);
  return performance.now() - startedMs;
}

/** Whether a request for a new camera is turned away at once; else it goes away itself. */
async function isFull(api: Api): Promise<boolean> {
  const signal = AbortSignal.timeout(1000);
  try {
    const answer = await api.image(fleet.slow.camera('hangs-more', { delay: '1m' }), { signal });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    return /too many requests wait/.test(await answer.text());
  } catch {
    return false; // it waits
  }
}

async function openSockets(api: Api): Promise<number> {
  return (await readdir(`/proc/${api.pid}/fd`)).length;
}
