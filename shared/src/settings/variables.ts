import { z } from 'zod';
import { parseNetwork } from '../cameras/source.ts';
import { UrlPattern } from '../cameras/url-pattern.ts';
import { FRAMES_URL_FORM, parseQueueUrl, parseRedisUrl, REDIS_URL_FORM } from './redis-url.ts';
import { DURATION_FORM, SIZE_FORM } from './units.ts';
import { durationMs, listOf, sizeBytes, textOf, wholeNumber } from './value-types.ts';

export type ProcessName = 'api' | 'worker';

/** One environment variable. */
interface Variable<T> extends ValueType<T> {
  processes: readonly ProcessName[];
  /** Undefined: optional, without a default. */
  fallback: string | undefined;
  meaning: string;
}

/** What a variable may hold, whatever it means. */
interface ValueType<T> {
  expected: string;
  schema: z.ZodType<T>;
  /** Turns the variable's text into the schema's input. */
  fromText: (text: string) => unknown;
}

const both = ['api', 'worker'] as const;
const api = ['api'] as const;
const worker = ['worker'] as const;

const word = matching('a word without spaces', /^\S+$/);
const text = matching('text without control characters', /^[^\x00-\x1f]*$/);
const duration = ofText(DURATION_FORM, durationMs);
const size = ofText(SIZE_FORM, sizeBytes);
const sizeOrZero = ofText(
  `${SIZE_FORM}, or 0`,
  z.union([z.literal([0, '0']).transform(() => 0), sizeBytes], `${SIZE_FORM}, or 0`),
);
const flag: ValueType<boolean> = {
  expected: 'true or false',
  schema: z.boolean('true or false'),
  fromText: (given) => (given === 'true' ? true : given === 'false' ? false : given),
};
const port = number('a port from 0 to 65535; 0 picks a free one', 0, 65_535);
const networks = list('networks like 10.20.0.0/16,::1/128', parseNetwork);
const httpUrl = parsed('an http:// or https:// URL', (given) => {
  if (given === '') return given;
  return URL.canParse(given) && /^https?:$/.test(new URL(given).protocol) ? given : undefined;
});

/** All variables of api and worker. Config, docs and chart are checked against them. */
export const variables = {
  REDIS_URL: define(
    both,
    'redis://127.0.0.1:6379',
    'queue and permits (noeviction, persistent), see redis.md',
    parsed(REDIS_URL_FORM, parseQueueUrl),
  ),
  FRAMES_REDIS_URL: define(
    both,
    undefined,
    'frames and announcements (may evict); if unset, REDIS_URL is used for both',
    parsed(FRAMES_URL_FORM, (value) => parseRedisUrl(value) && value),
  ),
  REDIS_CA_FILE: define(
    both,
    undefined,
    'PEM file of the authorities that sign the certificates of Redis',
    text,
  ),
  REDIS_CERT_FILE: define(both, undefined, 'PEM file of the client certificate for Redis', text),
  REDIS_KEY_FILE: define(both, undefined, 'PEM file of its private key', text),
  REDIS_PREFIX: define(both, 'lastframe', 'first part of every key', word),
  ALLOWED_SOURCES: define(
    both,
    '',
    'comma-separated URL patterns of the cameras that may be called; if unset, every URL is rejected',
    list(
      'URL patterns like http://localhost:8888/*,https://cams.example.com/*',
      (item) => new UrlPattern(item).text,
    ),
  ),
  ALLOWED_NETWORKS: define(
    both,
    '',
    'private, loopback or link-local networks that may be called',
    networks,
  ),
  SOURCES_FILE: define(
    both,
    undefined,
    'YAML file of source rules and named cameras, see sources.md',
    text,
  ),
  INTERVAL: define(both, '5s', 'minimum time between two calls to one camera', duration),
  UPSTREAM_TIMEOUT: define(
    both,
    '15s',
    'deadline of one call, from sending to the last byte',
    duration,
  ),
  START_ALLOWANCE: define(
    both,
    '4s',
    'a call is sent within this time after its permit is requested (DNS, TCP, TLS), or not at all',
    duration,
  ),
  MAX_REPLICA_LAG: define(
    worker,
    '10s',
    'min-replicas-max-lag of the queue Redis, if it has replicas',
    duration,
  ),
  ADOPT_REDIS: define(
    worker,
    'false',
    'start without a hold-off; only if no other process of the fleet is running and Redis kept its data',
    flag,
  ),
  MAX_FRAME_SIZE: define(worker, '8MiB', 'larger bodies are rejected while they arrive', size),
  STALE_FOR: define(both, '24h', 'how long the last good frame is kept', duration),
  UNNAMED_STALE_FOR: define(
    worker,
    '10m',
    'how long the last frame of a camera that is not in SOURCES_FILE is kept after its last refresh; longer if the camera was in use for longer, never longer than STALE_FOR',
    duration,
  ),
  MAX_CAMERAS: define(
    worker,
    '10000',
    'cameras of one source, besides those in SOURCES_FILE, that may be in use at once; above that: 503; 0 means no limit',
    count(0),
  ),
  COLD_WAIT: define(
    api,
    '15s',
    'how long a request waits for the first frame of a camera',
    duration,
  ),
  MEMORY_LIMIT: define(api, '256MiB', 'bytes of frames in the memory cache', size),
  MIN_SEND_RATE: define(
    api,
    '1KiB',
    'bytes that a client must read per second, averaged over 30 s; slower ones are disconnected; 0 means no limit',
    sizeOrZero,
  ),
  MAX_UNSENT_BYTES: define(
    api,
    '64MiB',
    'bytes kept only for clients that have not read them yet; above that, the slowest clients are disconnected; 0 means no limit',
    sizeOrZero,
  ),
  HOST: define(api, '0.0.0.0', 'address of the public listener', word),
  PORT: define(api, '8088', 'port of the public listener', port),
  REUSE_PORT: define(api, 'false', 'several api processes share one port (Linux)', flag),
  OPS_HOST: define(
    both,
    '127.0.0.1',
    'address of the ops listener: /livez, /readyz, /metrics, /queues on the worker, /refresh and /purge on the api',
    word,
  ),
  OPS_PORT: define(
    both,
    undefined,
    'port of the ops listener; 9088 for the api, 9089 for the worker',
    port,
  ),
  QUEUES_USER: define(
    worker,
    undefined,
    'user of the dashboard at /queues; if unset: loopback, read-only',
    text,
  ),
  QUEUES_PASSWORD: define(worker, undefined, 'password of the dashboard at /queues', text),
  ADMIN_TOKEN: define(
    api,
    undefined,
    'bearer token of POST /refresh and /purge on the ops port; if unset, both respond with 404',
    matching('letters, digits and -._~+/ with = at the end only', /^([\w.~+/-]+=*)?$/),
  ),
  URL_SIGNING_KEY: define(
    api,
    undefined,
    'when set, every url= needs a valid sig=, see signed-urls.md',
    matching('text of at least 16 characters without control characters', /^([^\x00-\x1f]{16,})?$/),
  ),
  BASE_PATH: define(
    api,
    '/',
    'where a reverse proxy mounts the api',
    parsed('a path like / or /cams', (value) =>
      /^(\/[\w.~-]+)+\/?$|^\/$/.test(value) ? value.replace(/\/$/, '') || '/' : undefined,
    ),
  ),
  COLD_PER_MINUTE: define(
    api,
    '600',
    'new cameras without a frame that one client may request per minute; above that: 503; 0 means no limit',
    count(0),
  ),
  TRUSTED_PROXIES: define(
    api,
    '',
    'reverse proxies whose X-Forwarded-For identifies the client',
    networks,
  ),
  PLACEHOLDER: define(api, 'false', 'show browsers a placeholder image if there is no frame', flag),
  MAX_STREAMS: define(
    api,
    '10000',
    'open streams (/events, /stream) per process, at most half of them from one client (see TRUSTED_PROXIES); above that: 503',
    count(),
  ),
  FRONT: define(api, 'true', 'serve frames in memory directly on the connection (fast path)', flag),
  MAX_WAITERS: define(
    api,
    '10000',
    'waiting requests; at most half of them may wait for a next frame, and at most half may come from one client (see TRUSTED_PROXIES); above that: 503',
    count(),
  ),
  CONCURRENCY: define(worker, '1000', 'calls in flight per worker', count()),
  OTEL_EXPORTER_OTLP_ENDPOINT: define(
    both,
    undefined,
    'trace collector (OTLP over HTTP, JSON); /v1/traces is appended; if unset, tracing is off',
    httpUrl,
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: define(both, undefined, 'the same, as a full URL', httpUrl),
  OTEL_SERVICE_NAME: define(
    both,
    undefined,
    'name in traces; if unset, lastframe-api and lastframe-worker',
    text,
  ),
  OTEL_TRACES_SAMPLER: define(
    both,
    'parentbased_always_on',
    'which traces are recorded',
    matching(
      '[parentbased_]always_on, …always_off or …traceidratio',
      /^(parentbased_)?(always_on|always_off|traceidratio)$/,
    ),
  ),
  OTEL_TRACES_SAMPLER_ARG: define(
    both,
    '1',
    'the share of traces, for traceidratio',
    parsed('a number from 0 to 1', (value) =>
      /^(0?\.\d+|[01](\.0+)?)$/.test(value) ? Number(value) : undefined,
    ),
  ),
  OTEL_SDK_DISABLED: define(both, 'false', 'no traces, whatever else is set', flag),
  LOG_LEVEL: define(
    both,
    'info',
    'lowest level of the JSON lines on stdout',
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  ),
} as const satisfies Record<string, Variable<unknown>>;

function define<T>(
  processes: readonly ProcessName[],
  fallback: string | undefined,
  meaning: string,
  type: ValueType<T>,
): Variable<T> {
  return { processes, fallback, meaning, ...type };
}

function ofText<T>(expected: string, schema: z.ZodType<T>): ValueType<T> {
  return { expected, schema, fromText: (given) => given };
}

function matching(expected: string, form: RegExp): ValueType<string> {
  return ofText(expected, z.string(expected).regex(form, expected));
}

function oneOf<const T extends string>(...words: T[]): ValueType<T> {
  const expected = `one of ${words.join(', ')}`;
  return ofText(expected, z.enum(words, expected));
}

function parsed<T>(expected: string, parse: (given: string) => T | undefined): ValueType<T> {
  return ofText(expected, textOf(expected, parse));
}

function list<T>(expected: string, parseItem: (item: string) => T | undefined): ValueType<T[]> {
  return ofText(expected, listOf(expected, parseItem));
}

function number(expected: string, min: number, max: number): ValueType<number> {
  const schema = wholeNumber(expected, min, max);
  return {
    expected,
    schema,
    fromText: (given) => (/^\d{1,7}$/.test(given) ? Number(given) : given),
  };
}

function count(min = 1): ValueType<number> {
  return number(`a whole number from ${min} to 1000000`, min, 1_000_000);
}
