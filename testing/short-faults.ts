import { setTimeout as pause } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { earliest } from './checker.ts';
import type { Api, Fleet } from './fleet.ts';
import { expectCleanEnd, expectPermitsEnd, recoveryMs } from './recovery.ts';
import { type Seen, startViewers, type Viewers, warmUp } from './viewers.ts';

/** Environment under which a hold-off lasts seconds and a cold request doesn't wait long. */
export const SHORT_TIMES = {
  UPSTREAM_TIMEOUT: '2s',
  START_ALLOWANCE: '1s',
  COLD_WAIT: '2s',
  MAX_REPLICA_LAG: '2s',
};

export const START_ALLOWANCE_MS = 1000;
/** What a permit may live under `SHORT_TIMES`, at intervals below three seconds: (T + 2 s) + A. */
export const LIFE_MS = 5000;
/** With replicas a hold-off lasts so much longer: their lag and 2 s for noticing. */
export const REPLICA_ALLOWANCE_MS = 4000;

/** For tests whose calls must not fail, nor start too late for their permit, on a busy machine. */
export const PATIENT_CALLS = { ...SHORT_TIMES, UPSTREAM_TIMEOUT: '10s', START_ALLOWANCE: '4s' };
/** What a permit may live under `PATIENT_CALLS`. */
export const PATIENT_LIFE_MS = 16_000;
const COLD_WAIT_MS = 2000;
/** What a busy machine may add to any of it. */
const BUSY_MS = 10_000;

/** Cameras that every api process of the fleet has a frame of, and viewers who look at them. */
export interface Audience extends Viewers {
  readonly cameras: readonly string[];
  /** The first of the api processes. */
  readonly api: Api;
}

export async function startAudience(fleet: Fleet, cameraCount = 5): Promise<Audience> {
  const [api] = fleet.apis;
  if (!api) throw new Error('no api was started');
  const cameras = Array.from({ length: cameraCount }, (_, n) => fleet.slow.camera(`cam-${n}`));
  const urls = fleet.apis.map(({ url }) => url);
  await warmUp(urls, cameras);
  return { ...startViewers(() => urls, cameras, { viewers: 6, pauseMs: 40 }), cameras, api };
}

/** Viewers of known cameras noticed nothing. The ceilings forgive a busy machine with two cores. */
export function expectServed(seen: Seen, { slowestMs = 10_000, p99Ms = 5000 } = {}): void {
  expect(seen.failures).toEqual([]);
  expect(seen.requests).toBeGreaterThan(30);
  expect(seen.medianMs).toBeLessThan(500);
  expect(seen.slowestMs).toBeLessThan(slowestMs);
  expect(seen.p99Ms).toBeLessThan(p99Ms);
}

/** Who asks for a camera without a frame is told to come back, and when, in bounded time. */
export async function expectNoFrameYet(api: Api, camera: string): Promise<void> {
  const startedMs = performance.now();
  const answer = await api.image(camera);
  const tookMs = performance.now() - startedMs;
  const detail = answer.status === 200 ? 'a frame' : await answer.text();
  expect(answer.status, detail).toBe(503);
  expect(Number(answer.headers.get('retry-after')), detail).toBeGreaterThanOrEqual(1);
  expect(tookMs, detail).toBeLessThan(COLD_WAIT_MS + BUSY_MS);
}

/**
 * Every camera is called again, and every api process shows what came of it, within the time that is
 * promised, counted from now: the fault was just healed.
 */
export async function expectRecovery(
  fleet: Fleet,
  { api, cameras }: Pick<Audience, 'api' | 'cameras'>,
  promisedMs: number,
  busyMs = BUSY_MS,
): Promise<void> {
  const ceilingMs = promisedMs + busyMs;
  const startedMs = performance.now();
  const before = await etagsOf(fleet, cameras);
  await Promise.all(cameras.map((camera) => recoveryMs(fleet, api.url, camera, ceilingMs)));
  await vi.waitFor(
    async () => {
      const now = await etagsOf(fleet, cameras);
      for (const [index, etag] of now.entries()) expect(etag).not.toBe(before[index]);
    },
    { timeout: ceilingMs, interval: 50 },
  );
  expect(performance.now() - startedMs).toBeLessThan(ceilingMs);
}

async function etagsOf(fleet: Fleet, cameras: readonly string[]): Promise<(string | null)[]> {
  const looks = fleet.apis.flatMap((api) => cameras.map((camera) => api.image(camera)));
  const answers = await Promise.all(looks);
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  return answers.map(({ headers }) => headers.get('etag'));
}

/**
 * What was granted just before a hold-off may be sent within its allowance; then nobody calls.
 * @param afterCall the number of a call before it, when there was another hold-off earlier
 */
export async function expectHoldOff(
  fleet: Fleet,
  cameras: readonly string[],
  holdOffMs = LIFE_MS,
  afterCall = 0,
): Promise<void> {
  const [calls, notLooking] = await Promise.all([fleet.slow.calls(), fleet.slow.pauses()]);
  for (const camera of cameras) {
    const ofCamera = calls.filter(({ url }) => url === camera);
    const gaps = ofCamera.flatMap(({ number, startMs }, index) => {
      const before = ofCamera[index - 1];
      return before && number > afterCall ? [startMs - earliest(before.startMs, notLooking)] : [];
    });
    expect(Math.max(...gaps)).toBeGreaterThan(holdOffMs - START_ALLOWANCE_MS);
  }
}

/** No call is sent any more, once those under way have been sent. */
export async function expectSilence({ slow }: Fleet): Promise<void> {
  await vi.waitFor(
    async () => {
      const before = (await slow.calls()).length;
      await pause(1000); // two intervals, in which somebody would have called
      expect(await slow.calls()).toHaveLength(before);
    },
    { timeout: 20_000 },
  );
}

/** Permits that end by themselves, and processes that end in order. */
export async function expectNothingLeft(fleet: Fleet, longestLifeMs = LIFE_MS): Promise<void> {
  await expectPermitsEnd(fleet, longestLifeMs);
  await expectCleanEnd(fleet);
}

/** One field of a Redis's INFO. */
export async function infoOf(
  redis: { command(...args: string[]): Promise<unknown> },
  field: string,
): Promise<string | undefined> {
  const info = String(await redis.command('INFO'));
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
