import type { Camera } from '@lastframe/shared/cameras/camera';
import {
  type RefreshJob,
  refreshJobFor,
  refreshJobId,
  refreshJobOptions,
} from '@lastframe/shared/messages/refresh-job';
import { RedisUnavailableError } from '@lastframe/shared/process/errors';
import { QUEUE_NAME } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { Queue } from 'bullmq';

const DEADLINE_MS = 1000;

type JobDetails = Pick<RefreshJob, 'isFirst' | 'trace'>;

export interface RefreshQueue {
  /**
   * Requests a frame from the fleet. All requests in one bucket of Redis's time share one job.
   * @throws RedisUnavailableError
   */
  add(camera: Camera, redisNowMs: number, about?: JobDetails): Promise<void>;
  /** Returns the id of that job. */
  jobIdAt(camera: Camera, redisNowMs: number): string;
}

/**
 * @param askerId the id of this process in its jobs
 * @param sinceMs since when Redis's clock is trusted
 */
export function createRefreshQueue(
  redis: RedisLink,
  prefix: string,
  askerId: string,
  sinceMs: () => number,
): RefreshQueue {
  let queue: Queue | undefined;
  // Created at the first add with a connection: a Queue created while Redis is down fails for good.
  const open = () => {
    if (!redis.isReady) throw new RedisUnavailableError('the queue cannot be reached');
    queue ??= new Queue(QUEUE_NAME, {
      connection: redis.client,
      prefix,
      skipVersionCheck: true,
      skipWaitingForReady: true,
      skipMetasUpdate: true,
      defaultJobOptions: refreshJobOptions,
    }).on('error', () => {}); // logged by the connection itself
    return queue;
  };
  const jobIdAt = ({ cameraId, source }: Camera, redisMs: number) =>
    refreshJobId(cameraId, source.intervalMs, { redisMs, sinceMs: sinceMs() });
  return {
    jobIdAt,
    add: async (camera, redisNowMs, about) => {
      const { cameraId } = camera;
      const jobs = open();
      const jobId = jobIdAt(camera, redisNowMs);
      await redis.run(DEADLINE_MS, () =>
        jobs.add(cameraId, refreshJobFor(camera, redisNowMs, { ...about, askedBy: askerId }), {
          jobId,
        }),
      );
    },
  };
}
