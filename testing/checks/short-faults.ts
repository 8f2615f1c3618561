import { setTimeout as pause } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import type { Api, Fleet } from '../fleet/fleet.ts';
import { measureSlowdown } from '../fleet/slowdown.ts';
import { startViewers, type ViewerLoad, type ViewerResults, warmUp } from '../viewers/viewers.ts';
import { earliestTimeOf } from './checker.ts';
import { expectCleanEnd, expectPermitsEnd, recoveryMs } from './recovery.ts';
import { printMeasurements } from './report.ts';

/** Environment that makes hold-offs last seconds and keeps cold requests from waiting long. */
export const SHORT_TIMES = {
  UPSTREAM_TIMEOUT: '2s',
  START_ALLOWANCE: '1s',
  COLD_WAIT: '2s',
  MAX_REPLICA_LAG: '2s',
};

export const START_ALLOWANCE_MS = 1000;
/** Longest life of a permit under `SHORT_TIMES`, at intervals below three seconds: T + 2 s + A. */
export const PERMIT_LIFE_MS = 5000;
/** How much longer a hold-off lasts with replicas: their lag, plus 2 s to notice it. */
export const REPLICA_ALLOWANCE_MS = 4000;

/** For tests whose calls must neither fail nor start too late, even on a busy machine. */
export const PATIENT_CALLS = { ...SHORT_TIMES, UPSTREAM_TIMEOUT: '10s', START_ALLOWANCE: '4s' };
/** Longest life of a permit under `PATIENT_CALLS`. */
export const PATIENT_LIFE_MS = 16_000;
const COLD_WAIT_MS = 2000;
/** When to give up on a very slow machine, whose slowdown is only known at the end. */
const BUSY_MS = 60_000;

/** Viewers of cameras that every api process of the fleet has a frame of. */
export interface Audience extends ViewerLoad {
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
  return { ...startViewers(() => urls, cameras, { viewers: 4, pauseMs: 80 }), cameras, api };
}

/**
 * Expects that viewers noticed nothing: limits for two cores that run the whole suite and nothing
 * else. Only the machine may delay a single request: a fault delays more than one in a hundred, by
 * the second that Redis has for a reply.
 */
export function expectServed(seen: ViewerResults, { p99Ms = 600, medianMs = 150 } = {}): void {
  const factor = busyFactor(seen.slowdown);
  printMeasurements('viewers', { ...seen, failures: seen.failures.length });
  expect(seen.failures).toEqual([]);
  expect(seen.medianMs).toBeLessThan(medianMs * factor);
  expect(seen.p99Ms).toBeLessThan(p99Ms * factor);
  expect(seen.slowestMs).toBeLessThan(10_000 * factor);
}

/** The suite itself, which runs several files at a time, slows processes down by about 3. */
export function busyFactor(slowdown: number): number {
  return Math.max(1, slowdown / 3);
}

/** Expects a 503 with Retry-After, in bounded time, for a camera without a frame. */
export async function expectNoFrameYet(api: Api, camera: string): Promise<void> {
  const startedMs = performance.now();
  const answer = await api.image(camera);
  const tookMs = performance.now() - startedMs;
  const detail = answer.status === 200 ? 'a frame' : await answer.text();
  expect(answer.status, detail).toBe(503);
  expect(Number(answer.headers.get('retry-after')), detail).toBeGreaterThanOrEqual(1);
  expect(tookMs, detail).toBeLessThan(COLD_WAIT_MS + 10_000);
}

/**
 * Expects that every camera is called again, and every api process serves the new frame, within
 * `promisedMs` from now, when the fault was just healed. A slow machine gets its slowdown on top.
 */
export async function expectRecovery(
  fleet: Fleet,
  { api, cameras }: Pick<Audience, 'api' | 'cameras'>,
  promisedMs: number,
): Promise<void> {
  const slowdown = await measureSlowdown([...fleet.apis, ...fleet.workers]);
  const ceilingMs = promisedMs + BUSY_MS;
  const startedMs = performance.now();
  const before = await etagsOf(fleet, cameras);
  await Promise.all(cameras.map((camera) => recoveryMs(fleet, api.url, camera, ceilingMs)));
  await vi.waitFor(
    async () => {
      const now = await etagsOf(fleet, cameras);
      for (const [index, etag] of now.entries()) expect(etag).not.toBe(before[index]);
    },
    { timeout: ceilingMs, interval: 150 },
  );
  const tookMs = performance.now() - startedMs;
  const measured = { promisedMs, tookMs, slowdown: await slowdown() };
  printMeasurements('recovery', measured);
  expect(tookMs).toBeLessThan((promisedMs + 500) * busyFactor(measured.slowdown));
}

async function etagsOf(fleet: Fleet, cameras: readonly string[]): Promise<(string | null)[]> {
  const requests = fleet.apis.flatMap((api) => cameras.map((camera) => api.image(camera)));
  const answers = await Promise.all(requests);
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  return answers.map(({ headers }) => headers.get('etag'));
}

/**
 * Expects a hold-off: no calls, except those permitted just before it, within their allowance.
 * @param afterCall the number of a call before it, if there was an earlier hold-off
 */
export async function expectHoldOff(
  fleet: Fleet,
  cameras: readonly string[],
  holdOffMs = PERMIT_LIFE_MS,
  afterCall = 0,
): Promise<void> {
  const [calls, pauses] = await Promise.all([fleet.slow.calls(), fleet.slow.pauses()]);
  for (const camera of cameras) {
    const cameraCalls = calls.filter(({ url }) => url === camera);
    const gaps = cameraCalls.flatMap(({ number, startMs }, index) => {
      const before = cameraCalls[index - 1];
      return before && number > afterCall ? [startMs - earliestTimeOf(before.startMs, pauses)] : [];
    });
    expect(Math.max(...gaps)).toBeGreaterThan(holdOffMs - START_ALLOWANCE_MS);
  }
}

/** Expects that no calls are sent, once those under way have been. */
export async function expectSilence({ slow }: Fleet): Promise<void> {
  await vi.waitFor(
    async () => {
      const before = (await slow.calls()).length;
      await pause(1000); // two intervals, long enough for a call
      expect(await slow.calls()).toHaveLength(before);
    },
    { timeout: 20_000 },
  );
}

/** Expects permits that expire and processes that exit cleanly. */
export async function expectCleanFinish(
  fleet: Fleet,
  longestLifeMs = PERMIT_LIFE_MS,
): Promise<void> {
  await expectPermitsEnd(fleet, longestLifeMs);
  await expectCleanEnd(fleet);
}

/** Returns one field of a Redis's INFO. */
export async function infoOf(
  redis: { command(...args: string[]): Promise<unknown> },
  field: string,
): Promise<string | undefined> {
  const info = String(await redis.command('INFO'));
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
