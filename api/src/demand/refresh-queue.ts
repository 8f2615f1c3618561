import type { Camera } from '@lastframe/shared/cameras/camera';
import {
  refreshJobFor,
  refreshJobId,
  refreshJobOptions,
} from '@lastframe/shared/messages/refresh-job';
import { RedisUnavailableError } from '@lastframe/shared/process/errors';
import { QUEUE_NAME } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { Queue } from 'bullmq';

const DEADLINE_MS = 1000;

export interface RefreshQueue {
  /**
   * Asks the fleet for a frame. All who ask in one bucket of Redis's time make one job.
   * @param trace the traceparent of asking
   * @throws RedisUnavailableError
   */
  add(camera: Camera, redisNowMs: number, trace?: string): Promise<void>;
  /** What that job is called. */
  jobIdAt(camera: Camera, redisNowMs: number): string;
}

/**
 * @param askerId what the jobs call this process
 * @param sinceMs since when Redis's clock is trusted
 */
export function createRefreshQueue(
  redis: RedisLink,
  prefix: string,
  askerId: string,
  sinceMs: () => number = () => 0,
): RefreshQueue {
  let queue: Queue | undefined;
  // Made at the first add with a connection: a Queue made while Redis is away fails for good.
  const open = () => {
    if (!redis.isReady) throw new RedisUnavailableError('the queue can not be reached');
    queue ??= new Queue(QUEUE_NAME, {
      connection: redis.client,
      prefix,
      skipVersionCheck: true,
      skipWaitingForReady: true,
      skipMetasUpdate: true,
      defaultJobOptions: refreshJobOptions,
    }).on('error', () => {}); // the connection's own log tells
    return queue;
  };
  const jobIdAt = ({ cameraId, source }: Camera, redisMs: number) =>
    refreshJobId(cameraId, source.intervalMs, { redisMs, sinceMs: sinceMs() });
  return {
    jobIdAt,
    add: async (camera, redisNowMs, trace) => {
      const { cameraId } = camera;
      const jobs = open();
      const jobId = jobIdAt(camera, redisNowMs);
      await redis.run(DEADLINE_MS, () =>
        jobs.add(cameraId, refreshJobFor(camera, redisNowMs, { askedBy: askerId, trace }), {
          jobId,
        }),
      );
    },
  };
}
