import type { Announcement } from '@lastframe/shared/messages/announcement';
import { bucketMsOf } from '@lastframe/shared/messages/refresh-job';
import { vi } from 'vitest';
import { createDemand } from '../demand/demand.ts';
import { createJobLine } from '../demand/job-line.ts';
import { testParts } from './parts.ts';

export const INTERVAL_MS = 5000;

/** `buckets` lists the bucket of each added job; `random: 1` makes retries as late as possible. */
export function demandParts({ random = 1 } = {}) {
  const parts = testParts();
  const add = vi.fn(async (_camera: unknown, _redisNowMs: number) => {});
  const line = createJobLine(parts.clock);
  const demand = createDemand({
    ...parts,
    queue: { add },
    line,
    coldWaitMs: 15_000,
    random: () => random,
    askerId: 'me',
  });
  const buckets = () =>
    add.mock.calls.map(([, redisNowMs]) => Math.floor(redisNowMs / bucketMsOf(INTERVAL_MS)));
  return { ...parts, add, demand, line, buckets };
}

export type DemandParts = ReturnType<typeof demandParts>;
export type AnnouncementBody = Announcement extends infer A
  ? A extends unknown
    ? Omit<A, 'v' | 'cameraId'>
    : 0
  : 0;

/** A new frame's announcement, without the camera. */
export const frameBody = (nextMs: number) =>
  ({ kind: 'frame', etag: '"x"', startedAgoMs: 0, capturedAgoMs: 0, nextMs }) as const;

/** Lets time pass and returns how many jobs were added since the last call. */
export async function jobsWithin({ add }: DemandParts, ms: number): Promise<number> {
  await vi.advanceTimersByTimeAsync(ms);
  const jobs = add.mock.calls.length;
  add.mockClear();
  return jobs;
}
