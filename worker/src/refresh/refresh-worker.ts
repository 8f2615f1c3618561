import { type RefreshJob, refreshJobFormat } from '@lastframe/shared/messages/refresh-job';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import { QUEUE_NAME } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { createNodeRedisClient, type Job, type Worker } from 'bullmq';
import type { JobIntake, JobPlace } from './job-intake.ts';
import { FailedRefreshError, type RefreshOutcome } from './outcome.ts';
import { PacedWorker } from './paced-worker.ts';

export interface RefreshWorkerDeps {
  redis: RedisLink;
  prefix: string;
  intake: JobIntake;
  /** @param onStarted called when the permit is granted or denied */
  refresh: (
    job: RefreshJob,
    jobId: string | undefined,
    onStarted: () => void,
  ) => Promise<RefreshOutcome>;
  log: Log;
}

/**
 * Denials whose job id is freed, so that a retry in this bucket is a new job: a call under way may
 * end in the same bucket. Back-offs stay on the dashboard.
 */
const SHORT_DENIALS: ReadonlySet<string> = new Set([
  'budget',
  'busy',
  'spaced',
  'hold',
  'places',
  'memory',
  'share',
]);

/**
 * Takes refresh jobs off the queue. A job may run twice (a stall, a lost lock): its permit prevents
 * a second call.
 */
export function createRefreshWorker(deps: RefreshWorkerDeps): Worker {
  const { redis, prefix, intake, log } = deps;
  // A closed worker no longer listens, and an unhandled error event ends the process.
  const connection = createNodeRedisClient(redis.client).on('error', () => {});
  const worker = new PacedWorker(QUEUE_NAME, (job, place) => run(job, place, deps), intake, {
    connection,
    prefix,
    autorun: false,
    // BullMQ checks once and keeps the result. If the connection is lost just then, the worker
    // spins without a pause and ignores signals.
    skipVersionCheck: true,
    // Retries after a lost connection soon, not in 15 s; permits space the calls.
    runRetryDelay: 1000,
  });
  let hasWarnedOfPermissions = false;
  worker.on('error', (error) => {
    log.debug({ reason: messageOf(error) }, 'queue error');
    if (!hasWarnedOfPermissions && /^NOPERM|can't run this command/.test(error.message)) {
      hasWarnedOfPermissions = true;
      log.warn({ reason: error.message }, 'the Redis user lacks permissions that the queue needs');
    }
    // BullMQ waits for jobs on a connection of its own. On a primary that became a replica it would
    // get this error forever; when closed, BullMQ reopens it to wherever the address leads now.
    const atReplica = error.message.startsWith('READONLY') && !worker.closing;
    if (atReplica) worker.backend.disconnectBlocking(false).catch(() => {});
  });
  worker.on('failed', (job, error) => {
    const logArgs = [{ jobId: job?.id, reason: messageOf(error) }, 'refresh job failed'] as const;
    // A failing camera is logged when it starts to fail, not once per call.
    if (error instanceof FailedRefreshError && error.step === 'call') log.debug(...logArgs);
    else log.warn(...logArgs);
  });
  worker.on('stalled', (jobId) => log.warn({ jobId }, 'refresh job stalled; running it again'));
  return worker;
}

/** @returns the text that the dashboard shows */
async function run(job: Job, place: JobPlace, { refresh }: RefreshWorkerDeps): Promise<string> {
  const payload = refreshJobFormat.parse(job.data);
  const outcome = await refresh(payload, job.id, place.started);
  // Frees the id: a retry within the bucket must not count as the same job.
  const isShort = outcome.kind === 'denied' && SHORT_DENIALS.has(outcome.reason);
  if (isShort || outcome.kind === 'late') job.opts.removeOnComplete = true;
  // The dashboard shows a failed camera as a failed job.
  if (outcome.kind === 'failed') throw new FailedRefreshError(outcome);
  return outcome.text;
}
