import type { z } from 'zod';
import { type SourceDefaults, sourcesFromPatterns } from '../cameras/source.ts';
import { variables } from './variables.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Configuration shared by api and worker. */
export type FleetConfig = ReturnType<typeof readFleetConfig>;
export type ApiConfig = ReturnType<typeof readApiConfig>;
export type WorkerConfig = ReturnType<typeof readWorkerConfig>;
export type TracingConfig = NonNullable<FleetConfig['tracing']>;

/** All faults of a configuration at once: variable, given value, expected value. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`bad configuration:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** @throws ConfigError */
export function readApiConfig(env: Env) {
  const { read, fault, check } = readerOf(env);
  const fleet = readFleetConfig(read, fault, 9088);
  const config = {
    ...fleet,
    coldWaitMs: read('COLD_WAIT'),
    memoryLimitBytes: read('MEMORY_LIMIT'),
    /** Bytes per second; 0 means no limit. */
    minSendRate: read('MIN_SEND_RATE'),
    /** 0 means no limit. */
    maxUnsentBytes: read('MAX_UNSENT_BYTES'),
    host: read('HOST'),
    port: read('PORT'),
    reusePort: read('REUSE_PORT'),
    fastPath: read('FRONT'),
    maxWaiters: read('MAX_WAITERS'),
    maxStreams: read('MAX_STREAMS'),
    placeholder: read('PLACEHOLDER'),
    /** Empty if not set: then no `url=` needs a signature. */
    urlSigningKey: read('URL_SIGNING_KEY'),
    basePath: read('BASE_PATH'),
    /** New cameras without a frame that one client may request; 0 means no limit. */
    coldPerMinute: read('COLD_PER_MINUTE'),
    trustedProxies: read('TRUSTED_PROXIES'),
    /** For `POST /refresh` and `/purge` on the ops port; empty if not set. */
    adminToken: read('ADMIN_TOKEN'),
  };
  check();
  return config;
}

/** @throws ConfigError */
export function readWorkerConfig(env: Env) {
  const { read, fault, check } = readerOf(env);
  const config = {
    ...readFleetConfig(read, fault, 9089),
    maxReplicaLagMs: read('MAX_REPLICA_LAG'),
    adoptRedis: read('ADOPT_REDIS'),
    concurrency: read('CONCURRENCY'),
    /** For the dashboard; empty if not set. */
    queuesUser: read('QUEUES_USER'),
    queuesPassword: read('QUEUES_PASSWORD'),
  };
  if (!config.queuesUser !== !config.queuesPassword) {
    fault('QUEUES_USER and QUEUES_PASSWORD: only one of them is set; expected both or none');
  }
  check();
  return config;
}

type Name = keyof typeof variables;
type ValueOf<N extends Name> = z.infer<(typeof variables)[N]['schema']>;
type Read = <N extends Name>(name: N, fallback?: string) => ValueOf<N>;

function readFleetConfig(read: Read, fault: (text: string) => void, opsPort: number) {
  const redisUrl = read('REDIS_URL');
  // A bad REDIS_URL is one fault, not two.
  const framesRedisUrl = read('FRAMES_REDIS_URL', redisUrl ?? variables.REDIS_URL.fallback);
  const redisPrefix = read('REDIS_PREFIX');
  if (redisPrefix?.includes('{') && /^rediss?\+cluster:/i.test(framesRedisUrl ?? '')) {
    fault(
      'REDIS_PREFIX: its { would put the frames of all cameras into one shard of the Cluster; expected none',
    );
  }
  const intervalMs = read('INTERVAL');
  const defaults: SourceDefaults = {
    intervalMs,
    maxIntervalMs: intervalMs,
    timeoutMs: read('UPSTREAM_TIMEOUT'),
    startAllowanceMs: read('START_ALLOWANCE'),
    headers: {},
    query: 'keep',
    redirects: 'none',
    cacheBusters: 'strip',
    networks: read('ALLOWED_NETWORKS'),
    maxFrameBytes: read('MAX_FRAME_SIZE'),
    acceptTruncated: false,
    conditional: true,
    placeholders: [],
    budget: { perSecond: 0, concurrency: 0 },
    staleForMs: read('STALE_FOR'),
    unnamedStaleForMs: read('UNNAMED_STALE_FOR'),
    maxCameras: read('MAX_CAMERAS'),
  };
  return {
    redisUrl,
    framesRedisUrl,
    /** Paths of PEM files; empty if not set. */
    redisTlsFiles: {
      ca: read('REDIS_CA_FILE'),
      cert: read('REDIS_CERT_FILE'),
      key: read('REDIS_KEY_FILE'),
    },
    redisPrefix,
    /** From ALLOWED_SOURCES; those of the file come before them. */
    sources: sourcesFromPatterns(read('ALLOWED_SOURCES') ?? [], defaults),
    /** Empty if not set. */
    sourcesFile: read('SOURCES_FILE'),
    sourceDefaults: defaults,
    opsHost: read('OPS_HOST'),
    opsPort: read('OPS_PORT', String(opsPort)),
    logLevel: read('LOG_LEVEL'),
    /** Undefined: tracing is off. */
    tracing: readTracing(read),
  };
}

/** Reads the standard variables, except those that the exporter reads itself (headers …). */
function readTracing(read: Read) {
  const endpoint = read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const whole = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const tracing = {
    /** The endpoint for OTLP over HTTP. */
    tracesUrl: whole || (endpoint && `${endpoint.replace(/\/$/, '')}/v1/traces`),
    serviceName: read('OTEL_SERVICE_NAME'),
    sampler: read('OTEL_TRACES_SAMPLER'),
    /** The share of traces to sample, for samplers that use one. */
    samplerRatio: read('OTEL_TRACES_SAMPLER_ARG'),
  };
  return read('OTEL_SDK_DISABLED') || !tracing.tracesUrl ? undefined : tracing;
}

/** Collects faults while values are read; `check` throws them all. Use no value before `check`. */
function readerOf(env: Env): { read: Read; fault: (text: string) => void; check: () => void } {
  const faults: string[] = [];
  const read: Read = (name, fallback) => {
    const { schema, fromText, fallback: usual } = variables[name];
    const text = env[name]?.trim() || (fallback ?? usual ?? '');
    const outcome = schema.safeParse(fromText(text));
    if (outcome.success) return outcome.data as ValueOf<typeof name>;
    const [issue] = outcome.error.issues;
    faults.push(
      `${name}: "${withoutSecrets(name, text)}" is not valid; expected ${issue?.message}`,
    );
    return undefined as never;
  };
  const check = () => {
    if (faults.length > 0) throw new ConfigError(faults);
  };
  return { read, fault: (text) => faults.push(text), check };
}

const SECRETS: ReadonlySet<Name> = new Set(['QUEUES_PASSWORD', 'URL_SIGNING_KEY', 'ADMIN_TOKEN']);

/** Masks passwords, even one whose `/` or `@` breaks its URL, because faults are printed. */
function withoutSecrets(name: Name, text: string): string {
  if (SECRETS.has(name)) return '…';
  const end = text.lastIndexOf('@');
  const scheme = end === -1 ? '' : (/^[a-z+]+:\/*/i.exec(text.slice(0, end))?.[0] ?? '');
  const masked = end === -1 ? text : `${scheme}…${text.slice(end)}`;
  return masked.replace(/(password=)[^&]*/gi, '$1…');
}
