import type { Server } from 'node:http';
import { closeServer } from '../http/http-server.ts';
import { type Clock, systemClock } from '../process/clock.ts';
import { messageOf } from '../process/errors.ts';
import { type ClosingStep, closeOnSignal } from '../process/lifecycle.ts';
import { createLog, type Log } from '../process/log.ts';
import { surviveUncaughtErrors } from '../process/uncaught-errors.ts';
import { type Keys, keysFor } from '../redis/keys.ts';
import { isSharded, openRedisRoles, type RedisRoles } from '../redis/redis-roles.ts';
import { ConfigError, type Env, type FleetConfig } from '../settings/config.ts';
import { type LiveRules, openRules } from '../settings/live-rules.ts';
import type { ProcessName } from '../settings/variables.ts';
import {
  createMetrics,
  createRedisMetrics,
  type Metrics,
  type RedisMetrics,
} from '../telemetry/metrics.ts';
import { createStep, type Step } from '../telemetry/steps.ts';
import type { Tracer } from '../telemetry/tracer.ts';

/** What all parts of a process share. */
export interface ProcessContext<Config extends FleetConfig> {
  config: Config;
  rules: LiveRules;
  clock: Clock;
  keys: Keys;
  redis: RedisRoles;
  metrics: Metrics;
  step: Step;
  tracer: Tracer | undefined;
  log: Log;
}

/** What the shutdown of a serving process needs. */
export interface Started {
  opsServer: Server;
  /** Stops taking work and finishes what is in flight. */
  closeWork: ClosingStep;
  closeLinks: () => Promise<unknown>;
}

export interface StartOptions<Config extends FleetConfig> {
  name: ProcessName;
  env: Env;
  readConfig: (env: Env) => Config;
  /**
   * Composes the parts, starts them and listens.
   * @param exposeLinks shows their Redis links in metrics
   */
  start: (
    context: ProcessContext<Config>,
    exposeLinks: RedisMetrics['exposeLinks'],
  ) => Promise<Started>;
}

/** Runs a process of the fleet until a signal; ends it with a clear message if it cannot start. */
export async function startProcess<Config extends FleetConfig>(
  options: StartOptions<Config>,
): Promise<void> {
  const fail = (error: unknown): never => {
    const isConfig = error instanceof ConfigError;
    console.error(isConfig ? error.message : `${options.name}: ${messageOf(error)}`);
    process.exit(1);
  };
  await run(options, fail).catch(fail);
}

async function run<Config extends FleetConfig>(
  { name, env, readConfig, start }: StartOptions<Config>,
  fail: (error: unknown) => never,
): Promise<void> {
  const config = readConfig(env);
  const log = createLog(name, config.logLevel);
  // Without tracing, OpenTelemetry is not even loaded.
  const tracer =
    config.tracing &&
    (await import('../telemetry/otlp-tracer.ts')).openOtlpTracer(config.tracing, name, log);
  const step = createStep(log, tracer);
  const metrics = createMetrics(name);
  const rules = openRules({ config, env, log });
  process.on('SIGHUP', rules.reload);
  // A signal before there is anything to close ends the process too.
  const closingSteps: ClosingStep[] = [];
  const end = closeOnSignal(log, closingSteps);
  const countUncaught = metrics.counter('lastframe_uncaught_errors_total');
  const nowServing = surviveUncaughtErrors({ log, end, count: () => countUncaught({}) });
  const redisMetrics = createRedisMetrics(metrics);
  const redis = openRedisRoles({
    config,
    log,
    onWrongKind: (fault) => fail(new ConfigError([fault])),
    onReconnect: redisMetrics.countReconnect,
  });
  const keys = keysFor(config.redisPrefix, { sharded: isSharded(config) });
  const context = { config, rules, clock: systemClock, keys, redis, metrics, step, tracer, log };
  const started = await start(context, redisMetrics.exposeLinks);
  nowServing();
  closingSteps.push(
    started.closeWork,
    { name: 'ops', graceMs: 500, close: () => closeServer(started.opsServer, 200) },
    { name: 'tracing', graceMs: 1000, close: async () => await tracer?.close() },
    {
      name: 'redis',
      graceMs: 1500,
      close: async () => {
        rules.close();
        await started.closeLinks();
        await redis.close();
      },
    },
  );
}
