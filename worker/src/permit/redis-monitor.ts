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
import { hasReplicas, persistenceWarning, whyUnfit } from './redis-fitness.ts';

const epochScript = loadScript(
  new URL('./identity.lua', import.meta.url),
  new URL('./epoch.lua', import.meta.url),
);

/** Monitors the queue Redis: its identity, its clock, its fitness for the guarantee. */
export interface RedisMonitor {
  /** Returns why no permit may be taken now; undefined when all is well. */
  whyUnfit(): string | undefined;
  /** Returns whether to trust a reply, judging by the time in it. */
  accept(reading: ClockReading): boolean;
  /** Returns Redis's time; undefined before the first reply. */
  nowMs(): number | undefined;
  /** Returns the hold-off left for permits of this life; `lagMs` counts with replicas only. */
  holdOffMs(permitLifeMs: number, lagMs: number): number;
  /** Checks Redis once; a worker does so every second. */
  poll(): Promise<void>;
}

export interface RedisMonitorDeps {
  clock: Clock;
  redis: Pick<RedisLink, 'run'>;
  keys: Keys;
  log: Log;
  /** The replica lag that the hold-off allows for. */
  maxReplicaLagMs: number;
  /** Records Redis's identity once without a hold-off (`ADOPT_REDIS`). */
  adopt: boolean;
  /** Only a worker that takes jobs reports itself alive. */
  takesJobs: () => boolean;
}

const DEADLINE_MS = 1000;
/** How long a worker counts as alive after its last report. */
const ALIVE_MS = 5000;

export function createRedisMonitor(deps: RedisMonitorDeps): RedisMonitor {
  const { clock, redis, keys, log, maxReplicaLagMs, takesJobs } = deps;
  let window: ClockWindow | undefined;
  /** Replies to commands sent before this are not trusted: Redis's clock has stepped since. */
  let trustedSinceMonoMs = Number.NEGATIVE_INFINITY;
  let isStepPending = false;
  let stepDeclaration: Promise<void> | undefined;
  let adoptNext = deps.adopt;
  /** Since when Redis's identity is trusted, and whether it has had replicas, at the last poll. */
  let epoch = { sinceMs: 0, replicated: false };
  let isPersistenceChecked = false;
  let unfitReason: string | undefined = 'Redis has not been checked yet';

  const accept = (reading: ClockReading): boolean => {
    if (isStepPending || reading.sentMonoMs < trustedSinceMonoMs) return false;
    const observation = observeClock(window, reading);
    if (observation.stepped) {
      isStepPending = true;
      log.warn("Redis's clock stepped; the hold-off starts again");
      void declareStep();
      return false;
    }
    window = observation.window;
    return true;
  };

  const readEpoch = async (mode: '' | 'step' | 'adopt') => {
    const sentMonoMs = clock.monoMs();
    const reply = await redis.run(DEADLINE_MS, (client) =>
      runScript(client, epochScript, [keys.epoch], [mode]),
    );
    const [redisMs, sinceMs, , replicated] = reply as [number, number, string, 0 | 1];
    epoch = { sinceMs, replicated: replicated === 1 };
    return { redisMs, sentMonoMs, receivedMonoMs: clock.monoMs() };
  };

  /** Keeps the old offset until the hold-off is written; a late reply might match a new one. */
  const writeStep = async () => {
    try {
      const reading = await readEpoch('step');
      // A command sent before this reply may have run before the hold-off was written. The reply
      // sets the new offset: without one, a second step now would go unnoticed.
      const observation = observeClock(undefined, reading);
      window = observation.stepped ? undefined : observation.window;
      trustedSinceMonoMs = reading.receivedMonoMs;
      isStepPending = false;
    } catch {
      // the next poll retries; until then nothing is granted
    }
  };

  /** Runs one at a time: a second reply must not undo the effects of the first. */
  const declareStep = (): Promise<void> => {
    stepDeclaration ??= writeStep().finally(() => {
      stepDeclaration = undefined;
    });
    return stepDeclaration;
  };

  const check = async () => {
    if (isStepPending) await declareStep();
    const reading = await readEpoch(adoptNext ? 'adopt' : '');
    adoptNext = false;
    accept(reading);
    const info = await redis.run(DEADLINE_MS, (client) =>
      Promise.all([client.info('memory'), client.info('replication')]),
    );
    const lag = { setMs: await replicaLagMs(info.join('\n')), allowedMs: maxReplicaLagMs };
    const reason = whyUnfit(info.join('\n'), lag);
    if (!isPersistenceChecked) await checkPersistence();
    if (reason === undefined && takesJobs()) {
      // Before it counts as fit: a Redis without memory or disk still reads, but rejects writes.
      const expiration = { type: 'PX', value: ALIVE_MS } as const;
      await redis.run(DEADLINE_MS, (client) => client.set(keys.workerAlive, '1', { expiration }));
    }
    setUnfit(reason);
  };

  /** Reads a setting; undefined when Redis forbids CONFIG. */
  const readSetting = (name: string): Promise<string | undefined> =>
    redis
      .run(DEADLINE_MS, (client) => client.configGet(name))
      .then(
        (config) => config[name],
        () => undefined,
      );

  /** When unknown, MAX_REPLICA_LAG is assumed. */
  const replicaLagMs = async (info: string): Promise<number | undefined> => {
    const seconds = hasReplicas(info) ? await readSetting('min-replicas-max-lag') : undefined;
    return seconds === undefined ? undefined : Number(seconds) * 1000;
  };

  /** Warns once: missing persistence is not a fault, and seldom changes. */
  const checkPersistence = async () => {
    const info = await redis.run(DEADLINE_MS, (client) => client.info('persistence'));
    const reason = persistenceWarning(info, await readSetting('save'));
    if (reason !== undefined && !isPersistenceChecked)
      log.warn({ reason }, 'the queue Redis does not persist its data');
    isPersistenceChecked = true;
  };

  const setUnfit = (reason: string | undefined) => {
    if (reason !== unfitReason) {
      if (reason === undefined) log.info('queue Redis healthy, camera calls resumed');
      else log.warn({ reason }, 'camera calls suspended');
    }
    unfitReason = reason;
  };

  return {
    accept,
    whyUnfit: () => (isStepPending ? "Redis's clock stepped" : unfitReason),
    holdOffMs: (permitLifeMs, lagMs) => {
      if (!window) return 0;
      const lastsMs = permitLifeMs + (epoch.replicated ? lagMs : 0);
      return Math.max(0, epoch.sinceMs + lastsMs - redisNowMs(window, clock.monoMs()));
    },
    nowMs: () => window && redisNowMs(window, clock.monoMs()),
    poll: async () => {
      try {
        await check();
      } catch (error) {
        setUnfit(`the queue Redis cannot be used: ${messageOf(error)}`);
      }
    },
  };
}
