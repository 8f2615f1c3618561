import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import { timeMs, traceparent } from '../redis/redis-values.ts';
import { VERSION } from './announcement.ts';

/** The refresh job: one per camera and bucket, by its jobId. Its queue is `QUEUE_NAME`. */
const base = {
  v: z.number(),
  cameraId: z.string().regex(/^[0-9a-f]{32}$/),
  /** Redis's time of the request. An old job is dropped: its requester has retried since. */
  askedAtMs: timeMs,
  /** The api process that requested it, by its own name. */
  askedBy: z.string().max(64).optional(),
  /** The camera has no frame yet, as far as that process knows. */
  isFirst: z.boolean().optional(),
  /** The traceparent of the request, if tracing is on. */
  trace: traceparent.optional(),
};
export const refreshJobFormat = z.union([
  /** A named camera, whose URL must not be in Redis: each process reads it from its own file. */
  z.object({ ...base, name: z.string() }),
  /** The canonical URL. */
  z.object({ ...base, url: z.string() }),
]);

export type RefreshJob = z.infer<typeof refreshJobFormat>;

export function refreshJobFor(
  { cameraId, url, name }: { cameraId: string; url: string; name?: string },
  askedAtMs: number,
  { askedBy, isFirst, trace }: Partial<Pick<RefreshJob, 'askedBy' | 'isFirst' | 'trace'>> = {},
): RefreshJob {
  const target = name === undefined ? { url } : { name };
  return { v: VERSION, cameraId, ...target, askedAtMs, askedBy, isFirst, trace };
}

/** Returns the bucket's width, limited so that a lost job never costs a long interval. */
export function bucketMsOf(intervalMs: number): number {
  return Math.min(5000, Math.max(250, intervalMs));
}

/**
 * Returns one id for all demand for a camera within a bucket of Redis's time. A clock that is set
 * back repeats buckets whose jobs are still kept, so the id also says since when the clock is
 * trusted.
 */
export function refreshJobId(
  cameraId: string,
  intervalMs: number,
  { redisMs, sinceMs }: { redisMs: number; sinceMs: number },
): string {
  const bucket = `${cameraId}-${Math.floor(redisMs / bucketMsOf(intervalMs))}`;
  return sinceMs > 0 ? `${bucket}-${sinceMs}` : bucket;
}

/**
 * Never retried by BullMQ, because every call needs its own permit. The last finished jobs are kept
 * for the dashboard; their ids belong to past buckets. Limited by number only: a limit by age costs
 * two more commands per job.
 */
export const refreshJobOptions = {
  attempts: 1,
  removeOnComplete: { count: 1000 },
  removeOnFail: { count: 1000 },
} satisfies JobsOptions;
