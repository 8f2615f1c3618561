import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { busyFactor, infoOf } from '../../testing/checks/short-faults.ts';
import { type Api, type Fleet, startFleet, type Worker } from '../../testing/fleet/fleet.ts';
import { residentMiB } from '../../testing/fleet/proc.ts';
import { startRedis } from '../../testing/redis/redis-server.ts';
import { startViewers, warmUp } from '../../testing/viewers/viewers.ts';

const MAX_MEMORY_BYTES = 64 * 1024 ** 2;
/** An interval, a call, and slack for a busy machine. */
const OLDEST_AGE_S = 10;
/** A camera keeps its place this long after its last request. */
const IDLE_AFTER_MS = 7000;
const CEILING_MS = 90_000;
/** Memory that 5,000 URLs may add to a process, including garbage. */
const GROWTH_MIB = 150;

let fleet: Fleet;
let api: Api;
let worker: Worker;
let folder: string;
/** A camera requested by URL, and one named in SOURCES_FILE. */
let watched: string[];

beforeAll(async () => {
  const limits = ['--maxmemory', String(MAX_MEMORY_BYTES), '--maxmemory-policy', 'noeviction'];
  const redis = await startRedis({ args: [...limits, '--appendonly', 'no'] });
  fleet = await startFleet({ redis, apis: 0, workers: 0 });
  const { slow } = fleet;
  folder = mkdtempSync(join(tmpdir(), 'lastframe-'));
  const gate = slow.camera('gate', { bytes: '200KiB' });
  writeFileSync(
    join(folder, 'sources.yaml'),
    `
sources:
  - { name: few, match: "${slow.url}/image/few-*", maxCameras: 3 }
  - { name: many, match: "${slow.url}/image/many-*", maxCameras: 200 }
  - { name: yard, match: "${slow.url}/*" }
cameras:
  gate: { url: "${gate}" }
`,
  );
  const env = {
    SOURCES_FILE: join(folder, 'sources.yaml'),
    // A camera counts as idle after two intervals and a call: `IDLE_AFTER_MS`.
    UPSTREAM_TIMEOUT: '4s',
    START_ALLOWANCE: '2s',
    UNNAMED_STALE_FOR: '20s',
  };
  worker = await fleet.startWorker({ ADOPT_REDIS: 'true', ...env });
  api = await fleet.startApi(env);
  watched = [slow.camera('watched', { bytes: '200KiB' }), gate];
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await fleet.checkAndStop();
});

/** Runs `work` and expects watched cameras to stay fresh meanwhile. */
async function whileWatching(work: () => Promise<void>): Promise<void> {
  await warmUp([api.url], watched);
  const viewers = startViewers(() => [api.url], watched, { viewers: 4, pauseMs: 100 });
  await work();
  const seen = await viewers.stop();
  expect(seen.failures).toEqual([]);
  expect(seen.oldestAgeS).toBeLessThanOrEqual(OLDEST_AGE_S * busyFactor(seen.slowdown));
}

/** Requests all of these cameras, 30 at a time. */
async function flood(
  cameras: readonly string[],
  onAnswer: (answer: Response) => Promise<void>,
  init: RequestInit = {},
): Promise<void> {
  const left = cameras.values();
  const requestRest = async () => {
    for (const camera of left) await onAnswer(await api.image(camera, init));
  };
  await Promise.all(Array.from({ length: 30 }, requestRest));
}

async function readiness(): Promise<string> {
  const answer = await fetch(`${worker.opsUrl}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

const usedShare = async () => Number(await infoOf(fleet.redis, 'used_memory')) / MAX_MEMORY_BYTES;

it('made-up cameras with large frames take no memory from watched ones and release their own', async () => {
  const { slow } = fleet;
  const cameraOf = (n: number) => slow.camera(`made-up-${n}`, { bytes: '400KiB' });
  await whileWatching(async () => {
    const answers: string[] = [];
    const flooding = flood(
      Array.from({ length: 300 }, (_, n) => cameraOf(n)),
      async (answer) => {
        const body = Buffer.from(await answer.arrayBuffer());
        answers.push(answer.status === 200 ? '200' : body.toString());
      },
    );
    // Polled meanwhile, because idle cameras release their memory soon after.
    const reportsFullRedis = expect
      .poll(readiness, { timeout: CEILING_MS })
      .toMatch(/^200 ready; .*no first frame/);
    await Promise.all([flooding, reportsFullRedis]);
    expect(await usedShare()).toBeLessThan(0.85);
    const refused = answers.filter((answer) => answer.includes('too-many-cameras'));
    expect(refused.length).toBeGreaterThan(30);
    expect(refused[0]).toContain('no memory left for new cameras');
    // The attack is over.
    await expect.poll(usedShare, { timeout: CEILING_MS }).toBeLessThan(0.7);
    await expect.poll(readiness, { timeout: CEILING_MS }).toBe('200 ready\n');
    const newCameraStatus = async () => (await api.image(cameraOf(1000))).status;
    await expect.poll(newCameraStatus, { timeout: CEILING_MS }).toBe(200);
  });
  expect(api.undocumented).toEqual(new Set());
});

it('a source at its limit rejects a new camera until one of its cameras is idle', async () => {
  const { slow } = fleet;
  const few = ['a', 'b', 'c'].map((name) => slow.camera(`few-${name}`));
  const another = slow.camera('few-another');
  await warmUp([api.url], few);
  const viewers = startViewers(() => [api.url], few, { viewers: 3, pauseMs: 100 });
  const refused = await api.image(another);
  expect([refused.status, await refused.text()]).toEqual([
    503,
    expect.stringContaining('this source has reached its limit of cameras'),
  ]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(5);
  await worker.waitForLog('new cameras rejected: the source has reached maxCameras (MAX_CAMERAS)');
  expect((await slow.calls()).filter(({ url }) => url === another)).toEqual([]);
  const seen = await viewers.stop();
  expect(seen.failures).toEqual([]);
  expect(seen.oldestAgeS).toBeLessThanOrEqual(OLDEST_AGE_S * busyFactor(seen.slowdown));
  const status = async () => (await api.image(another)).status;
  await expect.poll(status, { timeout: CEILING_MS, interval: 1000 }).toBe(200);
});

it('thousands of distinct URLs leave little behind', async () => {
  const { slow } = fleet;
  const keysBefore = Number(await fleet.redis.command('DBSIZE'));
  await whileWatching(async () => {
    const cameras = Array.from({ length: 5000 }, (_, n) => slow.camera(`many-${n}`));
    const before = await Promise.all([api, worker].map(({ pid }) => residentMiB(pid)));
    const startedMs = performance.now();
    const headers = { Prefer: 'respond-async' };
    await flood(cameras, async (answer) => void (await answer.arrayBuffer()), { headers });
    // Once the queue has drained: the frame, health and permit of each camera with a place.
    const waiting = `${fleet.redisPrefix}:refresh:wait`;
    const jobs = async () => Number(await fleet.redis.command('LLEN', waiting));
    await expect.poll(jobs, { timeout: CEILING_MS }).toBeLessThan(50);
    const keys = Number(await fleet.redis.command('DBSIZE')) - keysBefore;
    expect(keys).toBeLessThan(200 * 5 + 2000 + 500); // and the last jobs, for the dashboard
    const calls = (await slow.calls()).filter(({ name }) => name.startsWith('many-'));
    const turns = 2 + (performance.now() - startedMs) / IDLE_AFTER_MS;
    const called = new Set(calls.map(({ name }) => name)).size;
    expect(called).toBeLessThan(200 * turns);
    for (const [n, { pid }] of [api, worker].entries()) {
      expect((await residentMiB(pid)) - (before[n] ?? 0)).toBeLessThan(GROWTH_MIB);
    }
  });
});
