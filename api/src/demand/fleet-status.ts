import type { Clock } from '@lastframe/shared/process/clock';
import type { Keys } from '@lastframe/shared/redis/keys';
import { type ClockWindow, observeClock, redisNowMs } from '@lastframe/shared/redis/redis-clock';
import type { RedisClient, RedisLink } from '@lastframe/shared/redis/redis-link';

/** What an api process knows of the fleet behind it, by one look each second. */
export interface FleetStatus {
  /** Why no refresh can be asked for now; undefined when it can. */
  closedBecause(): string | undefined;
  /** Jobs pile up: one that was asked for before is still among them, and another would not help. */
  isBehind(): boolean;
  /** The queue Redis's time, undefined while unknown. */
  redisNowMs(): number | undefined;
  /** Since when the workers trust that time; 0 while unknown. Another value: it may have been set back. */
  trustedSinceMs(): number;
  /** What the last look saw; undefined when the queue Redis did not answer it. */
  snapshot(): FleetSnapshot | undefined;
  poll(): Promise<void>;
}

interface FleetSnapshot {
  workerAlive: boolean;
  waitingJobs: number;
  activeJobs: number;
}

const DEADLINE_MS = 900;
/** A queue that nobody works off must not fill Redis. */
const MAX_WAITING_JOBS = 20_000;
/** More than this is no passing crowd. */
const CROWD_OF_JOBS = 100;

export function createFleetStatus(deps: {
  clock: Clock;
  queue: Pick<RedisLink, 'run'>;
  keys: Keys;
}): FleetStatus {
  const { clock, queue, keys } = deps;
  let window: ClockWindow | undefined;
  let closed: string | undefined = 'Redis has not answered yet';
  let isBehind = false;
  let seen: FleetSnapshot | undefined;
  let trustedSinceMs = 0;

  const look = async () => {
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
    const reading = { redisMs, sentMonoMs, receivedMonoMs: clock.monoMs() };
    const clockSeen = observeClock(window, reading);
    // Buckets follow the clock wherever it goes; permits are the worker's business.
    const next = clockSeen.stepped ? observeClock(undefined, reading) : clockSeen;
    window = next.stepped ? undefined : next.window;
    seen = { workerAlive: alive === 1, waitingJobs, activeJobs };
    closed = closedBecause(seen.workerAlive, waitingJobs);
    trustedSinceMs = Number(/^\S+ (\d{1,15})(?!\d)/.exec(epoch ?? '')?.[1] ?? 0);
    isBehind = waitingJobs > CROWD_OF_JOBS;
  };

  return {
    closedBecause: () => closed,
    isBehind: () => isBehind,
    snapshot: () => seen,
    trustedSinceMs: () => trustedSinceMs,
    redisNowMs: () => window && redisNowMs(window, clock.monoMs()),
    poll: () =>
      look().catch(() => {
        seen = undefined;
        closed = 'the queue can not be reached';
      }),
  };
}

function closedBecause(workerAlive: boolean, waiting: number): string | undefined {
  if (!workerAlive) return 'no worker is alive';
  if (waiting >= MAX_WAITING_JOBS) return 'the queue is full';
  return undefined;
}

async function timeMs(client: RedisClient): Promise<number> {
  const [seconds, microseconds] = (await client.sendCommand(['TIME'])) as [string, string];
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
