import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { closeServer, listen } from '@lastframe/shared/http/http-server';
import { createOpsServer } from '@lastframe/shared/http/ops-server';
import { systemClock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import { type ClosingStep, closeOnSignal } from '@lastframe/shared/process/lifecycle';
import { createLog } from '@lastframe/shared/process/log';
import { outliveUncaughtErrors } from '@lastframe/shared/process/uncaught-errors';
import type { Shard } from '@lastframe/shared/redis/cluster/shard';
import { createFleetId } from '@lastframe/shared/redis/fleet-id';
import { keysFor, QUEUE_NAME } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { isSharded, openRedisRoles } from '@lastframe/shared/redis/redis-roles';
import {
  ConfigError,
  type Env,
  readWorkerConfig,
  type WorkerConfig,
} from '@lastframe/shared/settings/config';
import { openRules } from '@lastframe/shared/settings/live-rules';
import { showEventLoopLag } from '@lastframe/shared/telemetry/event-loop-lag';
import { createMetrics, createRedisMetrics } from '@lastframe/shared/telemetry/metrics';
import { openTracer } from '@lastframe/shared/telemetry/open-tracer';
import { probes } from '@lastframe/shared/telemetry/probes';
import { createStep } from '@lastframe/shared/telemetry/steps';
import { Queue } from 'bullmq';
import { createRoomForCameras } from './admission/room-for-cameras.ts';
import { createByteBudget } from './camera-call/byte-budget.ts';
import { createCameraCaller } from './camera-call/prepare-call.ts';
import { dashboard } from './dashboard.ts';
import { createPermits } from './permit/permits.ts';
import { createRedisWatch } from './permit/redis-monitor.ts';
import { refresh } from './refresh/refresh.ts';
import { createReporter } from './refresh/refresh-results.ts';
import { createRefreshWorker } from './refresh/refresh-worker.ts';
import { createPlaces } from './refresh/waiting-places.ts';
import {
  countedCalls,
  countedReporter,
  countJobs,
  countPermits,
  showRedis,
} from './telemetry/metrics.ts';
import {
  followedCalls,
  followedPermits,
  followedRefresh,
  followedReporter,
} from './telemetry/tracing.ts';

/** Calls in flight may end by themselves for so long after SIGTERM, then they are cut off. */
const CALLS_GRACE_MS = 7000;
const GRACE_MS = 10_000;
/** Bodies that are being read; a thousand calls of 8 MiB would be 8 GiB. */
const MAX_BODIES_BYTES = 256 * 1024 ** 2;

try {
  await start(readWorkerConfig(process.env), process.env);
} catch (error) {
  fail(error);
}

function fail(error: unknown): never {
  console.error(error instanceof ConfigError ? error.message : `worker: ${messageOf(error)}`);
  process.exit(1);
}

async function start(config: WorkerConfig, env: Env): Promise<void> {
  const { redisPrefix: prefix, concurrency } = config;
  const log = createLog('worker', config.logLevel);
  const tracer = await openTracer(config.tracing, 'worker', log);
  const step = createStep(log, tracer);
  const rules = openRules({ config, env, log });
  process.on('SIGHUP', rules.reload);
  const keys = keysFor(prefix, { sharded: isSharded(config) });
  const clock = systemClock;
  const metrics = createMetrics('worker');
  showEventLoopLag(metrics);
  // A signal that comes before there is anything to close ends the process as well.
  const closingSteps: ClosingStep[] = [];
  const end = closeOnSignal(log, closingSteps);
  const countUncaught = metrics.counter('lastframe_uncaught_errors_total');
  const nowServing = outliveUncaughtErrors({ log, end, count: () => countUncaught({}) });

  // Permits and frames fail at once when Redis is away; BullMQ's connection waits for it.
  const redisMetrics = createRedisMetrics(metrics);
  const redis = openRedisRoles({
    config,
    log,
    refuse: (fault) => fail(new ConfigError([fault])),
    onReconnect: redisMetrics.reconnected,
  });
  const permitsRedis = redis.queue('permits');
  const framesLinks = new Map<Shard, RedisLink>();
  const framesRedis = redis.frames('frames', (link, shards) => {
    for (const shard of shards) framesLinks.set(shard, link);
  });
  const queueRedis = redis.queue('queue', { offlineQueue: true });
  redisMetrics.show({ permits: permitsRedis, frames: framesRedis, queue: queueRedis });

  const closing = new AbortController();
  const watch = createRedisWatch({
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
  showRedis(watch, { rules: rules.now, replicaLagMs }, metrics);
  const permits = createPermits({ clock, redis: permitsRedis, watch, keys, replicaLagMs });
  const permitsFor = countPermits(permits, watch.nowMs, metrics);
  const telling = createReporter({
    frames: framesRedis,
    keys,
    permits,
    redisNowMs: watch.nowMs,
    log,
  });
  const reporter = followedReporter(countedReporter(telling, metrics), step, tracer);
  const room = createRoomForCameras({
    ...{ clock, redis: permitsRedis, frames: framesRedis, keys, rules: rules.now, metrics, log },
    framesLinks: () => framesLinks.values(),
    queueLink: config.framesRedisUrl === config.redisUrl ? undefined : permitsRedis,
  });
  const fleetId = createFleetId(permitsRedis, keys.fleet);
  const caller = createCameraCaller(createByteBudget(MAX_BODIES_BYTES), fleetId.pseudonym);
  const prepareCall = followedCalls(countedCalls(caller, clock, metrics), step);
  const jobs = countJobs(metrics);
  const waitingPlace = createPlaces(Math.ceil(concurrency / 10));
  const worker = createRefreshWorker({
    redis: queueRedis,
    prefix,
    concurrency,
    log,
    refresh: followedRefresh(async (job) => {
      const outcome = await refresh(job, {
        clock,
        permits: followedPermits(permitsFor(job.askedAtMs), step),
        places: room.places,
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
  metrics.followSources(rules.now().sources);
  rules.onChange(({ sources }) => metrics.followSources(sources));

  const queue = new Queue(QUEUE_NAME, {
    connection: queueRedis.client,
    prefix,
    skipVersionCheck: true,
  });
  queue.on('error', (error) => log.debug({ reason: messageOf(error) }, 'dashboard queue error'));
  const { queuesUser: username, queuesPassword: password } = config;
  const credentials = username && password ? { username, password } : undefined;
  const notReadyBecause = () => watch.doubt() ?? room.refusesAllBecause();
  const ops = probes(notReadyBecause, metrics, room.refusesNewBecause).route(
    '/',
    dashboard(queue, credentials),
  );
  const opsServer = createOpsServer(getRequestListener(ops.fetch) as RequestListener);
  const opsPort = await listen(opsServer, { host: config.opsHost, port: config.opsPort });

  const look = () => {
    void room.look();
    void watch.look();
    void fleetId.look();
  };
  const watching = setInterval(look, 1000);
  permitsRedis.client.on('ready', look);
  worker.run().catch((error) => log.error({ reason: messageOf(error) }, 'queue worker ended'));
  nowServing();
  log.info({ opsHost: config.opsHost, opsPort, concurrency }, 'listening');

  closingSteps.push(
    {
      name: 'jobs',
      graceMs: GRACE_MS,
      close: async () => {
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
    },
    { name: 'ops', graceMs: 500, close: () => closeServer(opsServer, 200) },
    { name: 'tracing', graceMs: 1000, close: async () => await tracer?.close() },
    {
      name: 'redis',
      graceMs: 1500,
      close: async () => {
        clearInterval(watching);
        rules.close();
        await Promise.all([queueRedis, framesRedis, permitsRedis].map((link) => link.close()));
        await redis.close();
      },
    },
  );
}
