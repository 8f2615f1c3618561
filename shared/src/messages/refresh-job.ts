import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import { timeMs, traceparent } from '../redis/redis-values.ts';
import { VERSION } from './announcement.ts';

/** The refresh job: one per camera and bucket, by its jobId. Its queue is `QUEUE_NAME`. */
const base = {
  v: z.number(),
  cameraId: z.string().regex(/^[0-9a-f]{32}$/),
  /** Redis's time of asking: an old job is dropped, whoever wanted it has asked again since. */
  askedAtMs: timeMs,
  /** The api process that asked, as it calls itself. */
  askedBy: z.string().max(64).optional(),
  /** The traceparent of asking, where tracing is on. */
  trace: traceparent.optional(),
};
const refreshJob = z.union([
  /** A named camera, whose URL must not be in Redis: each process has it from its own file. */
  z.object({ ...base, name: z.string() }),
  /** The canonical URL. */
  z.object({ ...base, url: z.string() }),
]);

export type RefreshJob = z.infer<typeof refreshJob>;

export function refreshJobFor(
  { cameraId, url, name }: { cameraId: string; url: string; name?: string },
  askedAtMs: number,
  { askedBy, trace }: { askedBy?: string | undefined; trace?: string | undefined } = {},
): RefreshJob {
  const called = name === undefined ? { url } : { name };
  return {
    v: VERSION,
    cameraId,
    ...called,
    askedAtMs,
    ...(askedBy !== undefined && { askedBy }),
    ...(trace !== undefined && { trace }),
  };
}

/** @throws ZodError for a payload that is none of ours */
export function parseRefreshJob(data: unknown): RefreshJob {
  return refreshJob.parse(data);
}

/** A lost job of a camera with a long interval costs one bucket, not an hour. */
export function bucketMsOf(intervalMs: number): number {
  return Math.min(5000, Math.max(250, intervalMs));
}

/**
 * All demand for one camera in one bucket of Redis's time is one job. A clock that is set back comes
 * to buckets whose jobs are still kept, so the id says since when the clock is trusted, too.
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
 * Never repeated by BullMQ: every attempt at a call needs a permit of its own. The last finished jobs
 * stay for the dashboard; their ids lie in past buckets. By number only: an age as well costs two
 * more commands for every job.
 */
export const refreshJobOptions = {
  attempts: 1,
  removeOnComplete: { count: 1000 },
  removeOnFail: { count: 1000 },
} satisfies JobsOptions;
