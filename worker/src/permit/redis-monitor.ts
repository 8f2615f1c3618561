import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { Keys } from '@lastframe/shared/redis/keys';
import {
  type ClockReading,
  type ClockWindow,
  observeClock,
  redisNowMs,
} from '@lastframe/shared/redis/redis-clock';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { loadScript, runScript } from '@lastframe/shared/redis/redis-script';
import { forgetfulBecause, hasReplicas, unfitBecause } from './redis-fitness.ts';

const epochScript = loadScript(
  new URL('./identity.lua', import.meta.url),
  new URL('./epoch.lua', import.meta.url),
);

/** Watches the queue Redis: its identity, its clock, its fitness for the promise. */
export interface RedisMonitor {
  /** Why no permit may be asked for now; undefined when all is well. */
  whyUnfit(): string | undefined;
  /** Judges a reply by the time in it: false when it must be taken as unknown. */
  accept(reading: ClockReading): boolean;
  /** Redis's time, undefined before the first answer. */
  nowMs(): number | undefined;
  /** What is left of a hold-off, for permits that live so long, with this lag of a replica if there is one. */
  holdOffMs(permitLifeMs: number, lagMs: number): number;
  /** One look: every second in a worker. */
  poll(): Promise<void>;
}

export interface RedisWatchDeps {
  clock: Clock;
  redis: Pick<RedisLink, 'run'>;
  keys: Keys;
  log: Log;
  /** What the hold-off allows for a replica's lag. */
  maxReplicaLagMs: number;
  /** Write the record of Redis's identity without a hold-off, once (`ADOPT_REDIS`). */
  adopt: boolean;
  /** Whether this worker takes jobs: only then it says that it is alive. */
  takesJobs: () => boolean;
}

const DEADLINE_MS = 1000;
/** How long the fleet believes that a worker is alive after its last word. */
const ALIVE_MS = 5000;

export function createRedisMonitor({
  clock,
  redis,
  keys,
  log,
  maxReplicaLagMs,
  adopt,
  takesJobs,
}: RedisWatchDeps): RedisMonitor {
  let window: ClockWindow | undefined;
  /** Replies to what was sent before this moment are unknown: Redis's clock stepped since. */
  let trustedSinceMonoMs = Number.NEGATIVE_INFINITY;
  let stepping = false;
  let declaring: Promise<void> | undefined;
  let toAdopt = adopt;
  /** Since when Redis's identity is trusted, as the last look found it. */
  let identity = { sinceMs: 0, replicated: false };
  let persistenceTold = false;
  let unfit: string | undefined = 'Redis has not been looked at yet';

  const accept = (reading: ClockReading): boolean => {
    if (stepping || reading.sentMonoMs < trustedSinceMonoMs) return false;
    const seen = observeClock(window, reading);
    if (seen.stepped) {
      stepping = true;
      log.warn("Redis's clock stepped; the hold-off begins anew");
      void declareStep();
      return false;
    }
    window = seen.window;
    return true;
  };

  const epoch = async (mode: '' | 'step' | 'adopt') => {
    const sentMonoMs = clock.monoMs();
    const reply = await redis.run(DEADLINE_MS, (client) =>
      runScript(client, epochScript, [keys.epoch], [mode]),
    );
    const [redisMs, sinceMs, , replicated] = reply as [number, number, string, 0 | 1];
    identity = { sinceMs, replicated: replicated === 1 };
    return { redisMs, sentMonoMs, receivedMonoMs: clock.monoMs() };
  };

  /** The old offset is kept until the hold-off is written: else a late reply would pass by the new one. */
  const writeStep = async () => {
    try {
      const reading = await epoch('step');
      // What was sent before this answer may have been granted before the hold-off was written. The
      // answer itself is the new offset: without one, a second step right now would go unseen.
      const seen = observeClock(undefined, reading);
      window = seen.stepped ? undefined : seen.window;
      trustedSinceMonoMs = reading.receivedMonoMs;
      stepping = false;
    } catch {
      // the next look tries again; until then nothing is granted
    }
  };

  /** One at a time: a second answer must not undo what the first one led to. */
  const declareStep = (): Promise<void> => {
    declaring ??= writeStep().finally(() => {
      declaring = undefined;
    });
    return declaring;
  };

  const look = async () => {
    if (stepping) await declareStep();
    const reading = await epoch(toAdopt ? 'adopt' : '');
    toAdopt = false;
    accept(reading);
    const info = await redis.run(DEADLINE_MS, (client) =>
      Promise.all([client.info('memory'), client.info('replication')]),
    );
    const lag = { setMs: await replicaLagMs(info.join('\n')), allowedMs: maxReplicaLagMs };
    const reason = unfitBecause(info.join('\n'), lag);
    if (!persistenceTold) await tellPersistence();
    if (reason === undefined && takesJobs()) {
      // Before it is said to be fit: a Redis without memory or disk reads, but takes nothing in.
      const expiration = { type: 'PX', value: ALIVE_MS } as const;
      await redis.run(DEADLINE_MS, (client) => client.set(keys.workerAlive, '1', { expiration }));
    }
    setUnfit(reason);
  };

  /** A Redis that forbids CONFIG doesn't tell. */
  const setting = (name: string): Promise<string | undefined> =>
    redis
      .run(DEADLINE_MS, (client) => client.configGet(name))
      .then(
        (config) => config[name],
        () => undefined,
      );

  /** If it isn't told, MAX_REPLICA_LAG is believed. */
  const replicaLagMs = async (info: string): Promise<number | undefined> => {
    const seconds = hasReplicas(info) ? await setting('min-replicas-max-lag') : undefined;
    return seconds === undefined ? undefined : Number(seconds) * 1000;
  };

  /** Once: it is no fault, and seldom changes. */
  const tellPersistence = async () => {
    const info = await redis.run(DEADLINE_MS, (client) => client.info('persistence'));
    const reason = forgetfulBecause(info, await setting('save'));
    if (reason !== undefined && !persistenceTold) log.warn({ reason }, 'the queue Redis forgets');
    persistenceTold = true;
  };

  const setUnfit = (reason: string | undefined) => {
    if (reason !== unfit) {
      if (reason === undefined) log.info('the queue Redis is fit for the promise');
      else log.warn({ reason }, 'no camera is called');
    }
    unfit = reason;
  };

  return {
    accept,
    whyUnfit: () => (stepping ? "Redis's clock stepped" : unfit),
    holdOffMs: (permitLifeMs, lagMs) => {
      if (!window) return 0;
      const lastsMs = permitLifeMs + (identity.replicated ? lagMs : 0);
      return Math.max(0, identity.sinceMs + lastsMs - redisNowMs(window, clock.monoMs()));
    },
    nowMs: () => window && redisNowMs(window, clock.monoMs()),
    poll: async () => {
      try {
        await look();
      } catch (error) {
        setUnfit(`the queue Redis can't be used: ${messageOf(error)}`);
      }
    },
  };
}
