import { messageOf } from '@lastframe/shared/process/errors';
import type { Shard } from '@lastframe/shared/redis/cluster/shard';
import { createFleetId } from '@lastframe/shared/redis/fleet-id';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import type { WorkerConfig } from '@lastframe/shared/settings/config';
import type { ProcessContext } from '@lastframe/shared/startup/start-process';
import { createRoomForCameras } from './admission/room-for-cameras.ts';
import { createByteBudget } from './camera-call/byte-budget.ts';
import { createConditionalCalls } from './camera-call/conditional-calls.ts';
import { measureLateness } from './camera-call/lateness.ts';
import { createAuthorizer } from './camera-call/login/authorizer.ts';
import { createPrepareCall } from './camera-call/prepare-call.ts';
import { createPermits, finishWithRetries } from './permit/permits.ts';
import { createRedisMonitor } from './permit/redis-monitor.ts';
import { createFairSlots } from './refresh/fair-slots.ts';
import { createJobIntake } from './refresh/job-intake.ts';
import { createRedirectTargets } from './refresh/redirect-targets.ts';
import { refresh } from './refresh/refresh.ts';
import { createRefreshResults } from './refresh/refresh-results.ts';
import { createRefreshWorker } from './refresh/refresh-worker.ts';
import { createWaitingSlots } from './refresh/waiting-slots.ts';
import {
  createJobMetrics,
  exposeIntakeMetrics,
  exposeRedisMemoryMetrics,
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
export type WorkerContext = ProcessContext<WorkerConfig>;

/** The parts of the worker. */
export type Parts = ReturnType<typeof compose>;

/** Calls in flight may finish for this long after SIGTERM; then they are aborted. */
const CALLS_GRACE_MS = 7000;
/** Bounds the bodies being read; a thousand of 8 MiB would be 8 GiB. */
const MAX_BODIES_BYTES = 256 * 1024 ** 2;
const POLL_EVERY_MS = 1000;

/** Creates the parts in the order of the data flow and connects them. */
export function compose(context: WorkerContext) {
  const { config, rules, clock, keys, redis, metrics, step, tracer, log } = context;
  const { redisPrefix: prefix, concurrency } = config;

  // Permits and frames fail at once when Redis is unreachable; BullMQ's connection waits for it.
  const permitsRedis = redis.queue('permits');
  const framesLinks = new Map<Shard, RedisLink>();
  const framesRedis = redis.frames('frames', (link, shards) => {
    for (const shard of shards) framesLinks.set(shard, link);
  });
  const queueRedis = redis.queue('queue', { offlineQueue: true });
  const links = { permits: permitsRedis, frames: framesRedis, queue: queueRedis };

  const closing = new AbortController();
  const monitor = createRedisMonitor({
    clock,
    redis: permitsRedis,
    keys,
    log,
    maxReplicaLagMs: config.maxReplicaLagMs,
    adopt: config.adoptRedis,
    takesJobs: () => worker.isRunning() && !worker.isPaused() && !worker.closing,
  });
  // A replica may lack permits granted within this time; 2 s more to notice it.
  const replicaLagMs = config.maxReplicaLagMs + 2000;
  exposeRedisMetrics(monitor, { rules: rules.now, replicaLagMs }, metrics);
  const permits = createPermits({
    clock,
    redis: permitsRedis,
    monitor,
    keys,
    replicaLagMs,
    onTurn: (cameraId) => void results.announceWait({ cameraId }, 'budget', 0),
  });
  const permitsFor = withPermitMetrics(permits, monitor.nowMs, metrics);
  const lateness = measureLateness(clock);
  const baseResults = createRefreshResults({
    clock,
    lateness,
    frames: framesRedis,
    keys,
    redisNowMs: monitor.nowMs,
    log,
  });
  const results = withResultTracing(withResultMetrics(baseResults, metrics), step, tracer);
  const room = createRoomForCameras({
    clock,
    redis: permitsRedis,
    frames: framesRedis,
    keys,
    rules: rules.now,
    log,
    framesLinks: () => framesLinks.values(),
    queueLink: config.framesRedisUrl === config.redisUrl ? undefined : permitsRedis,
  });
  exposeRedisMemoryMetrics(room, metrics);
  const places = withAdmissionMetrics(room.places, metrics);
  const fleetId = createFleetId(permitsRedis, keys.fleet);
  const bodies = createByteBudget(MAX_BODIES_BYTES);
  const authorizer = createAuthorizer(log);
  const basePrepareCall = createPrepareCall(bodies, fleetId.pseudonym, lateness, authorizer);
  const prepareCall = withCallTracing(withCallMetrics(basePrepareCall, clock, metrics), step);
  const conditionalCalls = createConditionalCalls(log);
  const redirects = createRedirectTargets(permitsRedis, keys);
  const jobMetrics = createJobMetrics(metrics);
  const reserveWaitingSlot = createWaitingSlots(Math.ceil(concurrency / 10));
  const intake = createJobIntake(clock, concurrency);
  const slots = createFairSlots(concurrency);
  exposeIntakeMetrics(intake, metrics);
  const worker = createRefreshWorker({
    redis: queueRedis,
    prefix,
    intake,
    log,
    refresh: withRefreshTracing(async (job, onStarted) => {
      const jobPermits = withPermitTracing(permitsFor(job.askedAtMs), step);
      const outcome = await refresh(job, {
        clock,
        permits: { take: (...camera) => jobPermits.take(...camera).finally(onStarted) },
        finishPermit: (permit, endNow) => finishWithRetries(permit, endNow, permits),
        places,
        prepareCall,
        conditionalCalls,
        redirects,
        results,
        rules: rules.now,
        slots,
        redisNowMs: monitor.nowMs,
        closing: closing.signal,
        reserveWaitingSlot,
        log,
      });
      jobMetrics.ended(outcome);
      return outcome;
    }, step),
  });
  jobMetrics.listen(worker);

  const poll = () => {
    void room.poll();
    void monitor.poll();
    void fleetId.poll();
  };
  let pollTimer: NodeJS.Timeout | undefined;
  return {
    links,
    monitor,
    room,
    intake,
    worker,
    start: () => {
      pollTimer = setInterval(poll, POLL_EVERY_MS);
      permitsRedis.client.on('ready', poll);
      worker.run().catch((error) => log.error({ reason: messageOf(error) }, 'queue worker ended'));
    },
    /** Takes no more jobs and waits for calls in flight. */
    closeJobs: async () => {
      const abortTimer = setTimeout(() => closing.abort(), CALLS_GRACE_MS);
      // Without Redis, BullMQ's close hangs (#2430) and no job can end properly, but permits may.
      const endCalls = async () => {
        await clock.sleep(1000);
        closing.abort();
        await clock.sleep(1000);
      };
      const withoutRedis = queueRedis.isReady ? [] : [endCalls()];
      await Promise.race([worker.close(), ...withoutRedis]).finally(() => clearTimeout(abortTimer));
    },
    closeLinks: async () => {
      clearInterval(pollTimer);
      lateness.close();
      await Promise.all(Object.values(links).map((link) => link.close()));
    },
  };
}
