import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { Shard } from '@lastframe/shared/redis/cluster/shard';
import { createFleetId } from '@lastframe/shared/redis/fleet-id';
import type { Keys } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import type { RedisRoles } from '@lastframe/shared/redis/redis-roles';
import type { WorkerConfig } from '@lastframe/shared/settings/config';
import type { LiveRules } from '@lastframe/shared/settings/live-rules';
import type { Metrics } from '@lastframe/shared/telemetry/metrics';
import type { Step } from '@lastframe/shared/telemetry/steps';
import type { Tracer } from '@lastframe/shared/telemetry/tracer';
import { createRoomForCameras } from './admission/room-for-cameras.ts';
import { createByteBudget } from './camera-call/byte-budget.ts';
import { createPrepareCall } from './camera-call/prepare-call.ts';
import { createPermits } from './permit/permits.ts';
import { createRedisMonitor } from './permit/redis-monitor.ts';
import { refresh } from './refresh/refresh.ts';
import { createRefreshResults } from './refresh/refresh-results.ts';
import { createRefreshWorker } from './refresh/refresh-worker.ts';
import { createWaitingPlaces } from './refresh/waiting-places.ts';
import {
  createJobMetrics,
  exposeFramesMemoryMetrics,
  exposeRedisMetrics,
  withAdmissionMetrics,
  withCallMetrics,
  withPermitMetrics,
  withResultMetrics,
} from './telemetry/metrics.ts';
import {
  withCallTracing,
  withPermitTracing,
  withRefreshTracing,
  withResultTracing,
} from './telemetry/tracing.ts';

/** Shared by all parts: configuration, clock, Redis, logging, metrics. */
export interface Context {
  config: WorkerConfig;
  rules: LiveRules;
  clock: Clock;
  keys: Keys;
  redis: RedisRoles;
  metrics: Metrics;
  step: Step;
  tracer: Tracer | undefined;
  log: Log;
}

/** The parts of the worker. */
export type Parts = ReturnType<typeof compose>;

/** Calls in flight may finish for this long after SIGTERM, then they are aborted. */
const CALLS_GRACE_MS = 7000;
/** Bodies that are being read; a thousand calls of 8 MiB would be 8 GiB. */
const MAX_BODIES_BYTES = 256 * 1024 ** 2;
const POLL_EVERY_MS = 1000;

/** Creates the parts in the order of the data flow, and connects them. */
export function compose(context: Context) {
  const { config, rules, clock, keys, redis, metrics, step, tracer, log } = context;
  const { redisPrefix: prefix, concurrency } = config;

  // Permits and frames fail at once when Redis is away; BullMQ's connection waits for it.
  const permitsRedis = redis.queue('permits');
  const framesLinks = new Map<Shard, RedisLink>();
  const framesRedis = redis.frames('frames', (link, shards) => {
    for (const shard of shards) framesLinks.set(shard, link);
  });
  const queueRedis = redis.queue('queue', { offlineQueue: true });
  const links = { permits: permitsRedis, frames: framesRedis, queue: queueRedis };

  const closing = new AbortController();
  const watch = createRedisMonitor({
    clock,
    redis: permitsRedis,
    keys,
    log,
    maxReplicaLagMs: config.maxReplicaLagMs,
    adopt: config.adoptRedis,
    takesJobs: () => worker.isRunning() && !worker.isPaused() && !worker.closing,
  });
  // A replica may lack what its primary granted within this time, and 2 s for noticing.
  const replicaLagMs = config.maxReplicaLagMs + 2000;
  exposeRedisMetrics(watch, { rules: rules.now, replicaLagMs }, metrics);
  const permits = createPermits({ clock, redis: permitsRedis, watch, keys, replicaLagMs });
  const permitsFor = withPermitMetrics(permits, watch.nowMs, metrics);
  const telling = createRefreshResults({
    frames: framesRedis,
    keys,
    permits,
    redisNowMs: watch.nowMs,
    log,
  });
  const reporter = withResultTracing(withResultMetrics(telling, metrics), step, tracer);
  const room = createRoomForCameras({
    ...{ clock, redis: permitsRedis, frames: framesRedis, keys, rules: rules.now, log },
    framesLinks: () => framesLinks.values(),
    queueLink: config.framesRedisUrl === config.redisUrl ? undefined : permitsRedis,
  });
  exposeFramesMemoryMetrics(room, metrics);
  const places = withAdmissionMetrics(room.places, metrics);
  const fleetId = createFleetId(permitsRedis, keys.fleet);
  const caller = createPrepareCall(createByteBudget(MAX_BODIES_BYTES), fleetId.pseudonym);
  const prepareCall = withCallTracing(withCallMetrics(caller, clock, metrics), step);
  const jobs = createJobMetrics(metrics);
  const waitingPlace = createWaitingPlaces(Math.ceil(concurrency / 10));
  const worker = createRefreshWorker({
    redis: queueRedis,
    prefix,
    concurrency,
    log,
    refresh: withRefreshTracing(async (job) => {
      const outcome = await refresh(job, {
        clock,
        permits: withPermitTracing(permitsFor(job.askedAtMs), step),
        places,
        prepareCall,
        reporter,
        rules: rules.now,
        redisNowMs: watch.nowMs,
        closing: closing.signal,
        waitingPlace,
        log,
      });
      jobs.ended(outcome);
      return outcome;
    }, step),
  });
  jobs.listen(worker);

  const poll = () => {
    void room.poll();
    void watch.poll();
    void fleetId.poll();
  };
  let polling: NodeJS.Timeout | undefined;
  return {
    links,
    watch,
    room,
    worker,
    start: () => {
      polling = setInterval(poll, POLL_EVERY_MS);
      permitsRedis.client.on('ready', poll);
      worker.run().catch((error) => log.error({ reason: messageOf(error) }, 'queue worker ended'));
    },
    /** Takes no more jobs, and waits for the calls in flight. */
    closeJobs: async () => {
      const cut = setTimeout(() => closing.abort(), CALLS_GRACE_MS);
      // Without Redis BullMQ's close hangs (#2430), and no job can end in order; but permits may.
      const endCalls = async () => {
        await clock.sleep(1000);
        closing.abort();
        await clock.sleep(1000);
      };
      const hangs = queueRedis.isReady ? [] : [endCalls()];
      await Promise.race([worker.close(), ...hangs]).finally(() => clearTimeout(cut));
    },
    closeLinks: async () => {
      clearInterval(polling);
      await Promise.all(Object.values(links).map((link) => link.close()));
    },
  };
}
