import { parseRefreshJob, type RefreshJob } from '@lastframe/shared/messages/refresh-job';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import { QUEUE_NAME } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { createNodeRedisClient, type Job, Worker } from 'bullmq';
import type { RefreshOutcome } from './refresh.ts';

export interface RefreshWorkerDeps {
  redis: RedisLink;
  prefix: string;
  concurrency: number;
  refresh: (job: RefreshJob, jobId: string | undefined) => Promise<RefreshOutcome>;
  log: Log;
}

/** Outcomes that are the camera's own, not a fault of the fleet. */
const FAILED_CALL = /^failed: (?!not allowed here|frame not )/;
/** Denials that may be over before the bucket is; a back-off lasts longer, and is worth seeing on the dashboard. */
const SHORT_DENIAL = /^denied: (budget|spaced|hold|places|memory)$/;

/**
 * Takes refresh jobs off the queue. A job may run twice (a stall, a lost lock): its permit is what
 * keeps the camera from being called twice.
 */
export function createRefreshWorker(deps: RefreshWorkerDeps): Worker {
  const { redis, prefix, concurrency, log } = deps;
  // A closed worker listens no more, and an error that nobody hears ends the process.
  const connection = createNodeRedisClient(redis.client).on('error', () => {});
  const worker = new Worker(QUEUE_NAME, (job: Job) => run(job, deps), {
    connection,
    prefix,
    concurrency,
    autorun: false,
    // It asks once and for ever keeps what came of it: a connection that is lost just then, and the
    // worker would go round without a pause, deaf to signals.
    skipVersionCheck: true,
    // A lost connection is tried again soon, not in 15 s; the calls are spaced by their permits.
    runRetryDelay: 1000,
  });
  let toldRefusal = false;
  worker.on('error', (error) => {
    log.debug({ reason: messageOf(error) }, 'queue error');
    if (!toldRefusal && /^NOPERM|can't run this command/.test(error.message)) {
      toldRefusal = true;
      log.warn({ reason: error.message }, 'the Redis user may not do what the queue needs');
    }
    // The connection on which BullMQ waits for jobs is its own. At a primary that became a replica
    // it would get this error for ever; ended, BullMQ opens it again where the address leads now.
    const atReplica = error.message.startsWith('READONLY') && !worker.closing;
    if (atReplica) worker.backend.disconnectBlocking(false).catch(() => {});
  });
  worker.on('failed', (job, error) => {
    const what = [{ jobId: job?.id, reason: messageOf(error) }, 'refresh job failed'] as const;
    // Of a failing camera there is a line when it begins to fail, not one for each call.
    if (FAILED_CALL.test(error.message)) log.debug(...what);
    else log.warn(...what);
  });
  worker.on('stalled', (jobId) => log.warn({ jobId }, 'refresh job stalled; it runs again'));
  return worker;
}

async function run(job: Job, { refresh }: RefreshWorkerDeps): Promise<RefreshOutcome> {
  const payload = parseRefreshJob(job.data);
  const outcome = await refresh(payload, job.id);
  // Its id is free again: who was told to come back within the bucket is not taken for the same.
  if (SHORT_DENIAL.test(outcome)) job.opts.removeOnComplete = true;
  // The dashboard shows a failed camera as a failed job.
  if (outcome.startsWith('failed')) throw new Error(outcome);
  return outcome;
}
