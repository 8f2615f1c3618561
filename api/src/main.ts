import { closeServer, listen } from '@lastframe/shared/http/http-server';
import { systemClock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import { type ClosingStep, closeOnSignal } from '@lastframe/shared/process/lifecycle';
import { createLog } from '@lastframe/shared/process/log';
import { outliveUncaughtErrors } from '@lastframe/shared/process/uncaught-errors';
import { keysFor } from '@lastframe/shared/redis/keys';
import { isSharded, openRedisRoles } from '@lastframe/shared/redis/redis-roles';
import {
  type ApiConfig,
  ConfigError,
  type Env,
  readApiConfig,
} from '@lastframe/shared/settings/config';
import { openRules } from '@lastframe/shared/settings/live-rules';
import { showEventLoopLag } from '@lastframe/shared/telemetry/event-loop-lag';
import { createMetrics, createRedisMetrics } from '@lastframe/shared/telemetry/metrics';
import { openTracer } from '@lastframe/shared/telemetry/open-tracer';
import { createStep } from '@lastframe/shared/telemetry/steps';
import { compose } from './compose.ts';
import { createOpsListener, createPublicListener } from './server/listeners.ts';

const REDIS_WAIT_MS = 2000;
const DRAIN_MS = 2500;
const GRACE_MS = 7000;

try {
  await start(readApiConfig(process.env), process.env);
} catch (error) {
  fail(error);
}

function fail(error: unknown): never {
  console.error(error instanceof ConfigError ? error.message : `api: ${messageOf(error)}`);
  process.exit(1);
}

async function start(config: ApiConfig, env: Env): Promise<void> {
  const log = createLog('api', config.logLevel);
  const tracer = await openTracer(config.tracing, 'api', log);
  const step = createStep(log, tracer);
  const metrics = createMetrics('api');
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
  const tools = { config, rules, clock: systemClock, keys, redis, metrics, step, tracer, log };
  const flow = compose(tools);
  redisMetrics.show(flow.links);
  showEventLoopLag(metrics);
  let closing = false;
  const publicListener = createPublicListener(flow, tools);
  const opsListener = createOpsListener(flow, tools, () => (closing ? 'closing' : undefined));

  await flow.start(REDIS_WAIT_MS);
  const { host, port, reusePort, opsHost } = config;
  const opsPort = await listen(opsListener, { host: opsHost, port: config.opsPort });
  const publicPort = await listen(publicListener.server, { host, port, reusePort });
  nowServing();
  log.info({ host, port: publicPort, opsHost, opsPort }, 'listening');

  closingSteps.push(
    {
      name: 'public',
      graceMs: DRAIN_MS + GRACE_MS + 500,
      close: async () => {
        closing = true;
        // Who still waits for a first frame near the end is told so, not cut off.
        const giveUp = setTimeout(() => flow.coldWait.close(), DRAIN_MS + GRACE_MS - 1000);
        const times = { drainMs: DRAIN_MS, graceMs: GRACE_MS };
        await publicListener.close(times, flow.streams.close);
        clearTimeout(giveUp);
      },
    },
    { name: 'ops', graceMs: 500, close: () => closeServer(opsListener, 200) },
    { name: 'tracing', graceMs: 1000, close: async () => await tracer?.close() },
    {
      name: 'redis',
      graceMs: 1500,
      close: async () => {
        rules.close();
        await flow.close();
        await redis.close();
      },
    },
  );
}
