import type { Clock } from '@lastframe/shared/process/clock';
import { holdOffBeganMs } from '@lastframe/shared/redis/epoch';
import type { Keys } from '@lastframe/shared/redis/keys';
import { createRedisTime } from '@lastframe/shared/redis/redis-clock';
import type { RedisClient, RedisLink } from '@lastframe/shared/redis/redis-link';

/** What an api process knows about the fleet, from one poll per second. */
export interface FleetStatus {
  /** Returns why no refresh can be requested now; undefined if one can. */
  whyCannotCall(): string | undefined;
  /** Returns the queue Redis's time; undefined while unknown. */
  redisNowMs(): number | undefined;
  /**
   * Returns when the last hold-off began, by the queue Redis's clock; 0 if unknown or none
   * (`ADOPT_REDIS`). Changes after a restart, failover, loss of data or clock step.
   */
  holdOffBeganMs(): number;
  /** Returns what the last poll saw; undefined if the queue Redis did not respond. */
  snapshot(): FleetSnapshot | undefined;
  poll(): Promise<void>;
}

interface FleetSnapshot {
  workerAlive: boolean;
  waitingJobs: number;
  activeJobs: number;
}

const DEADLINE_MS = 900;
/** A queue without workers must not fill Redis. */
const MAX_WAITING_JOBS = 20_000;

export function createFleetStatus(deps: {
  clock: Clock;
  queue: Pick<RedisLink, 'run'>;
  keys: Keys;
}): FleetStatus {
  const { clock, queue, keys } = deps;
  const time = createRedisTime(clock);
  let closed: string | undefined = 'Redis has not responded yet';
  let lastSnapshot: FleetSnapshot | undefined;
  let lastHoldOffMs = 0;

  const pollRedis = async () => {
    const sentMonoMs = clock.monoMs();
    const [redisMs, alive, waitingJobs, activeJobs, epoch] = await queue.run(
      DEADLINE_MS,
      (client) =>
        Promise.all([
          timeMs(client),
          client.exists(keys.workerAlive),
          client.lLen(keys.queueWaiting),
          client.lLen(keys.queueActive),
          client.get(keys.epoch),
        ]),
    );
    time.observe({ redisMs, sentMonoMs, receivedMonoMs: clock.monoMs() });
    lastSnapshot = { workerAlive: alive === 1, waitingJobs, activeJobs };
    closed = whyClosed(lastSnapshot.workerAlive, waitingJobs);
    lastHoldOffMs = holdOffBeganMs(epoch);
  };

  return {
    whyCannotCall: () => closed,
    snapshot: () => lastSnapshot,
    holdOffBeganMs: () => lastHoldOffMs,
    redisNowMs: time.nowMs,
    poll: () =>
      pollRedis().catch(() => {
        lastSnapshot = undefined;
        closed = 'the queue cannot be reached';
      }),
  };
}

function whyClosed(workerAlive: boolean, waiting: number): string | undefined {
  if (!workerAlive) return 'no worker is alive';
  if (waiting >= MAX_WAITING_JOBS) return 'the queue is full';
  return undefined;
}

async function timeMs(client: RedisClient): Promise<number> {
  const [seconds, microseconds] = (await client.sendCommand(['TIME'])) as [string, string];
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
