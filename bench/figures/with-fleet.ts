import { join } from 'node:path';
import { type Fleet, type FleetOptions, startFleet } from '../../testing/fleet/fleet.ts';
import { startQueueRedis } from '../servers/queue-redis.ts';

/**
 * Measures on a fleet, then stops it.
 * @throws Error when the cameras' log shows a breach of the guarantee
 */
export async function withFleet<Result>(
  options: FleetOptions,
  measure: (fleet: Fleet) => Promise<Result>,
): Promise<Result> {
  const fleet = await startFleet(options);
  try {
    const result = await measure(fleet);
    await fleet.check();
    return result;
  } finally {
    await fleet.stop();
  }
}

/** Like `withFleet`, for thousands of cameras: quick ones, and a Redis as in production. */
export async function withLargeFleet<Result>(
  options: FleetOptions,
  measure: (fleet: Fleet) => Promise<Result>,
): Promise<Result> {
  const redis = await startQueueRedis();
  const cameraScript = join(import.meta.dirname, '../servers/quick-camera.ts');
  const env = { CONCURRENCY: '5000', MEMORY_LIMIT: '512MiB', ...options.env };
  return await withFleet({ ...options, redis, cameraScript, env }, measure);
}
