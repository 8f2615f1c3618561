import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { closeServer, listen } from '@lastframe/shared/http/http-server';
import { createOpsServer } from '@lastframe/shared/http/ops-server';
import { systemClock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import { type ClosingStep, closeOnSignal } from '@lastframe/shared/process/lifecycle';
import { createLog } from '@lastframe/shared/process/log';
import { outliveUncaughtErrors } from '@lastframe/shared/process/uncaught-errors';
import { keysFor, QUEUE_NAME } from '@lastframe/shared/redis/keys';
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
import { type Context, compose, type Parts } from './compose.ts';
import { dashboard } from './dashboard.ts';

const GRACE_MS = 10_000;

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
  const log = createLog('worker', config.logLevel);
  const tracer = await openTracer(config.tracing, 'worker', log);
  const step = createStep(log, tracer);
  const metrics = createMetrics('worker');
  const rules = openRules({ config, env, log });
  process.on('SIGHUP', rules.reload);
  // A signal that comes before there is anything to close ends the process as well.
  const closingSteps: ClosingStep[] = [];
  const end = closeOnSignal(log, closingSteps);
  const countUncaught = metrics.counter('lastframe_uncaught_errors_total');
  const nowServing = outliveUncaughtErrors({ log, end, count: () => countUncaught({}) });

  const redisMetrics = createRedisMetrics(metrics);
  const redis = openRedisRoles({
    config,
    log,
    refuse: (fault) => fail(new ConfigError([fault])),
    onReconnect: redisMetrics.reconnected,
  });
  const keys = keysFor(config.redisPrefix, { sharded: isSharded(config) });
  const context = { config, rules, clock: systemClock, keys, redis, metrics, step, tracer, log };
  const parts = compose(context);
  redisMetrics.show(parts.links);
  showEventLoopLag(metrics);
  metrics.followSources(rules.now().sources);
  rules.onChange(({ sources }) => metrics.followSources(sources));

  const opsServer = createOpsServer(
    getRequestListener(opsRoutes(parts, context).fetch) as RequestListener,
  );
  const { opsHost, concurrency } = config;
  const opsPort = await listen(opsServer, { host: opsHost, port: config.opsPort });
  parts.start();
  nowServing();
  log.info({ opsHost, opsPort, concurrency }, 'listening');

  closingSteps.push(
    { name: 'jobs', graceMs: GRACE_MS, close: parts.closeJobs },
    { name: 'ops', graceMs: 500, close: () => closeServer(opsServer, 200) },
    { name: 'tracing', graceMs: 1000, close: async () => await tracer?.close() },
    {
      name: 'redis',
      graceMs: 1500,
      close: async () => {
        rules.close();
        await parts.closeLinks();
        await redis.close();
      },
    },
  );
}

/** Probes, metrics and Bull Board. */
function opsRoutes({ links, watch, room }: Parts, { config, metrics, log }: Context) {
  const queue = new Queue(QUEUE_NAME, {
    connection: links.queue.client,
    prefix: config.redisPrefix,
    skipVersionCheck: true,
  });
  queue.on('error', (error) => log.debug({ reason: messageOf(error) }, 'dashboard queue error'));
  const { queuesUser: username, queuesPassword: password } = config;
  const credentials = username && password ? { username, password } : undefined;
  const notReadyBecause = () => watch.whyUnfit() ?? room.refusesAllBecause();
  return probes(notReadyBecause, metrics, room.refusesNewBecause).route(
    '/',
    dashboard(queue, credentials),
  );
}
