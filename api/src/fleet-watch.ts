import type { Clock } from '@lastframe/shared/clock';
import type { Keys } from '@lastframe/shared/keys';
import { type ClockWindow, observeClock, redisNowMs } from '@lastframe/shared/redis-clock';
import type { RedisClient, RedisLink } from '@lastframe/shared/redis-link';

/** What an api process knows of the fleet behind it, by one look each second. */
export interface FleetWatch {
  /** Why no refresh can be asked for now; undefined when it can. */
  closedBecause(): string | undefined;
  /** Jobs pile up: one that was asked for before is still among them, and another would not help. */
  isBehind(): boolean;
  /** The queue Redis's time, undefined while unknown. */
  redisNowMs(): number | undefined;
  look(): Promise<void>;
}

const DEADLINE_MS = 900;
/** A queue that nobody works off must not fill Redis. */
const MAX_WAITING_JOBS = 20_000;
/** More than this is no passing crowd. */
const CROWD_OF_JOBS = 100;

export function createFleetWatch(deps: {
  clock: Clock;
  queue: Pick<RedisLink, 'run'>;
  keys: Keys;
}): FleetWatch {
  const { clock, queue, keys } = deps;
  let window: ClockWindow | undefined;
  let closed: string | undefined = 'Redis has not answered yet';
  let isBehind = false;

  const look = async () => {
    const sentMonoMs = clock.monoMs();
    const [redisMs, alive, waiting] = await queue.run(DEADLINE_MS, (client) =>
      Promise.all([
        timeMs(client),
        client.exists(keys.workerAlive),
        client.lLen(keys.queueWaiting),
      ]),
    );
    const reading = { redisMs, sentMonoMs, receivedMonoMs: clock.monoMs() };
    const seen = observeClock(window, reading);
    // Buckets follow the clock wherever it goes; permits are the worker's business.
    const next = seen.stepped ? observeClock(undefined, reading) : seen;
    window = next.stepped ? undefined : next.window;
    closed = closedBecause(alive === 1, waiting);
    isBehind = waiting > CROWD_OF_JOBS;
  };

  return {
    closedBecause: () => closed,
    isBehind: () => isBehind,
    redisNowMs: () => window && redisNowMs(window, clock.monoMs()),
    look: () =>
      look().catch(() => {
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
