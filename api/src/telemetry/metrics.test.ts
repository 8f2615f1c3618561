import type { Camera } from '@lastframe/shared/cameras/camera';
import { createMetrics, type Metrics } from '@lastframe/shared/telemetry/metrics';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Demand } from '../demand/demand.ts';
import type { FrameWaiters, WaitEnd } from '../lookup/frame-waiters.ts';
import {
  createAnnouncementMetrics,
  exposeCameraMetrics,
  exposeFleetMetrics,
  withDemandMetrics,
  withQueueMetrics,
  withWaiterMetrics,
} from './metrics.ts';

const camera = {} as Camera;
let metrics: Metrics;
/** Returns the value of a series, given as `name{labels}`. */
const numberOf = async (series: string) => {
  const line = (await metrics.text()).split('\n').find((line) => line.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
};

beforeEach(() => {
  metrics = createMetrics('api');
});

it('counts demand and raises it', async () => {
  const raise = vi.fn();
  const demand = withDemandMetrics({ raise } as unknown as Demand, metrics);
  demand.raise(camera);
  demand.raise(camera);
  expect(raise).toHaveBeenCalledTimes(2);
  expect(await numberOf('lastframe_demand_raised_total')).toBe(2);
});

it('counts added and failed jobs, and rethrows the errors', async () => {
  const add = vi.fn().mockResolvedValueOnce(undefined).mockRejectedValueOnce(new Error('away'));
  const queue = withQueueMetrics({ add, jobIdAt: () => 'a' }, metrics);
  await queue.add(camera, 1);
  await expect(queue.add(camera, 1)).rejects.toThrow('away');
  expect(await numberOf('lastframe_jobs_added_total{outcome="added"}')).toBe(1);
  expect(await numberOf('lastframe_jobs_added_total{outcome="failed"}')).toBe(1);
});

describe('a cold wait', () => {
  const start = () => {
    let nowMs = 1000;
    const ended = Promise.withResolvers<WaitEnd>();
    const inner = { wait: () => ended.promise, waiting: () => 3 } as unknown as FrameWaiters;
    const waiters = withWaiterMetrics(inner, { monoMs: () => nowMs }, metrics);
    const leaving = new AbortController();
    const waited = waiters.wait(camera, 5000, leaving.signal, 'a');
    const end = async (end: WaitEnd) => {
      nowMs += 1500;
      ended.resolve(end);
      expect(await waited).toBe(end);
    };
    return { end, leaving };
  };
  const countOf = (outcome: string) =>
    numberOf(`lastframe_cold_wait_seconds_count{outcome="${outcome}"}`);

  it('is counted by its outcome, with its duration', async () => {
    const { end } = start();
    expect(await numberOf('lastframe_waiters')).toBe(3);
    await end({ end: 'timeout' });
    expect(await countOf('timeout')).toBe(1);
    expect(await numberOf('lastframe_cold_wait_seconds_sum{outcome="timeout"}')).toBe(1.5);
  });

  it('is not counted for a client that does not wait', async () => {
    const inner = { wait: async () => ({ end: 'timeout' }), waiting: () => 0 } as never;
    const waiters = withWaiterMetrics(inner, { monoMs: () => 0 }, metrics);
    await waiters.wait(camera, 0, new AbortController().signal, 'a');
    expect(await countOf('timeout')).toBe(0);
  });

  it('is not counted when aborted, because Redis had the frame', async () => {
    const { end, leaving } = start();
    leaving.abort();
    await end({ end: 'timeout' });
    expect(await countOf('timeout')).toBe(0);
  });
});

describe('an announcement', () => {
  const wait = { v: 1, cameraId: 'x', kind: 'wait', reason: 'hold', inMs: 1 } as const;

  it('is counted, with its delay', async () => {
    const record = createAnnouncementMetrics({ redisNowMs: () => 5250 }, metrics);
    record({ ...wait, sentAtMs: 5000 });
    expect(await numberOf('lastframe_announcements_heard_total{kind="wait"}')).toBe(1);
    expect(await numberOf('lastframe_announcement_lag_seconds_sum')).toBe(0.25);
  });

  it('is counted without its delay if it has no time, or if the clock is unknown', async () => {
    createAnnouncementMetrics(
      { redisNowMs: () => undefined },
      metrics,
    )({ ...wait, sentAtMs: 5000 });
    expect(await numberOf('lastframe_announcement_lag_seconds_count')).toBe(0);
    metrics = createMetrics('api');
    createAnnouncementMetrics({ redisNowMs: () => 1 }, metrics)(wait);
    expect(await numberOf('lastframe_announcement_lag_seconds_count')).toBe(0);
    expect(await numberOf('lastframe_announcements_heard_total{kind="wait"}')).toBe(1);
  });

  it('never has a negative delay', async () => {
    createAnnouncementMetrics({ redisNowMs: () => 4999 }, metrics)({ ...wait, sentAtMs: 5000 });
    expect(await numberOf('lastframe_announcement_lag_seconds_sum')).toBe(0);
  });
});

it('exposes no series, rather than a zero, for what is unknown about the fleet', async () => {
  let seen: { workerAlive: boolean; waitingJobs: number; activeJobs: number } | undefined;
  exposeFleetMetrics({ snapshot: () => seen }, metrics);
  expect(await numberOf('lastframe_worker_alive')).toBeUndefined();
  expect(await numberOf('lastframe_queue_jobs{state="waiting"}')).toBeUndefined();
  seen = { workerAlive: false, waitingJobs: 7, activeJobs: 0 };
  expect(await numberOf('lastframe_worker_alive')).toBe(0);
  expect(await numberOf('lastframe_queue_jobs{state="waiting"}')).toBe(7);
  expect(await numberOf('lastframe_queue_jobs{state="active"}')).toBe(0);
});

it('a slow Redis delays no scrape: it exposes the last count, then the late one', async () => {
  const live = (count: number) => ({ idle: 0, live: count, late: 0, failing: 0, frozen: 0 });
  const scrapeLive = () => numberOf('lastframe_cameras{health="live"}');
  const slow = Promise.withResolvers<ReturnType<typeof live>>();
  const countByHealth = vi.fn(() => slow.promise);
  exposeCameraMetrics({ countByHealth }, metrics);
  expect(await scrapeLive()).toBeUndefined();
  slow.resolve(live(2));
  expect(await scrapeLive()).toBe(2);
  const slower = Promise.withResolvers<ReturnType<typeof live>>();
  countByHealth.mockReturnValue(slower.promise);
  expect(await scrapeLive()).toBe(2);
  slower.resolve(live(3));
  await slower.promise;
  countByHealth.mockReturnValue(new Promise(() => {}));
  expect(await scrapeLive()).toBe(3);
});

it('exposes named cameras by health, including zeros', async () => {
  const counts = { idle: 2, live: 5, late: 0, failing: 1, frozen: 0 };
  exposeCameraMetrics({ countByHealth: async () => counts }, metrics);
  for (const [health, count] of Object.entries(counts)) {
    expect(await numberOf(`lastframe_cameras{health="${health}"}`)).toBe(count);
  }
});
