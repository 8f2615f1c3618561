import { z } from 'zod';
import { parseNetwork } from '../cameras/source.ts';
import { UrlPattern } from '../cameras/url-pattern.ts';
import { FRAMES_URL_FORM, parseQueueUrl, parseRedisUrl, REDIS_URL_FORM } from './redis-url.ts';
import { DURATION_FORM, SIZE_FORM } from './units.ts';
import { durationMs, listOf, sizeBytes, textOf, wholeNumber } from './value-types.ts';

export type ProcessName = 'api' | 'worker';

/** One environment variable. */
interface Variable<T> {
  processes: readonly ProcessName[];
  /** Undefined: optional, without a default. */
  fallback: string | undefined;
  meaning: string;
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
const longText = matching(
  'text of at least 16 characters without control characters',
  /^([^\x00-\x1f]{16,})?$/,
);
const bearerToken = matching(
  'letters, digits and -._~+/ with = at the end only',
  /^([\w.~+/-]+=*)?$/,
);
const sampler = matching(
  '[parentbased_]always_on, …always_off or …traceidratio',
  /^(parentbased_)?(always_on|always_off|traceidratio)$/,
);
const logLevel = oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent');
const flag = type('true or false', z.boolean('true or false'), (given) =>
  given === 'true' ? true : given === 'false' ? false : given,
);
const duration = type(DURATION_FORM, durationMs);
const size = type(SIZE_FORM, sizeBytes);
const sizeOrZero = type(
  `${SIZE_FORM}, or 0`,
  z.union([z.literal([0, '0']).transform(() => 0), sizeBytes], `${SIZE_FORM}, or 0`),
);
const port = number('a port from 0 to 65535; 0 picks a free one', 0, 65_535);
const count = number('a whole number from 1 to 1000000', 1, 1_000_000);
const countOrZero = number('a whole number from 0 to 1000000', 0, 1_000_000);
const share = parsed('a number from 0 to 1', (given) =>
  /^(0?\.\d+|[01](\.0+)?)$/.test(given) ? Number(given) : undefined,
);
const networks = list('networks like 10.20.0.0/16,::1/128', parseNetwork);
const urlPatterns = list(
  'URL patterns like http://localhost:8888/*,https://cams.example.com/*',
  (item) => new UrlPattern(item).text,
);
const queueUrl = parsed(REDIS_URL_FORM, parseQueueUrl);
const framesUrl = parsed(FRAMES_URL_FORM, (given) => parseRedisUrl(given) && given);
const httpUrl = parsed('an http:// or https:// URL', (given) => {
  if (given === '') return given;
  return URL.canParse(given) && /^https?:$/.test(new URL(given).protocol) ? given : undefined;
});
const path = parsed('a path like / or /cams', (given) =>
  /^(\/[\w.~-]+)+\/?$|^\/$/.test(given) ? given.replace(/\/$/, '') || '/' : undefined,
);

/** All variables of api and worker. Config, docs and chart are checked against them. */
export const variables = {
  REDIS_URL: queueUrl(
    both,
    'redis://127.0.0.1:6379',
    'queue and permits (noeviction, persistent), see redis.md',
  ),
  FRAMES_REDIS_URL: framesUrl(
    both,
    undefined,
    'frames and announcements (may evict); if unset, REDIS_URL is used for both',
  ),
  REDIS_CA_FILE: text(
    both,
    undefined,
    'PEM file of the certificate authorities to trust for Redis',
  ),
  REDIS_CERT_FILE: text(both, undefined, 'PEM file of the client certificate for Redis'),
  REDIS_KEY_FILE: text(both, undefined, "PEM file of the client certificate's private key"),
  REDIS_PREFIX: word(both, 'lastframe', 'first part of every key'),
  ALLOWED_SOURCES: urlPatterns(
    both,
    '',
    'comma-separated URL patterns of the cameras that may be called; if unset, every URL is rejected',
  ),
  ALLOWED_NETWORKS: networks(
    both,
    '',
    'private, loopback or link-local networks that may be called',
  ),
  SOURCES_FILE: text(
    both,
    undefined,
    'YAML file of source rules and named cameras, see sources.md',
  ),
  INTERVAL: duration(both, '5s', 'minimum time between two calls to one camera'),
  UPSTREAM_TIMEOUT: duration(both, '15s', 'deadline for one call, from sending to the last byte'),
  START_ALLOWANCE: duration(
    both,
    '4s',
    'a call is sent within this time after its permit is requested (DNS, TCP, TLS), or not at all',
  ),
  MAX_REPLICA_LAG: duration(
    worker,
    '10s',
    'min-replicas-max-lag of the queue Redis, if it has replicas',
  ),
  ADOPT_REDIS: flag(
    worker,
    'false',
    'start without a hold-off; only if no other process of the fleet is running and Redis kept its data',
  ),
  MAX_FRAME_SIZE: size(worker, '8MiB', 'larger bodies are rejected while they arrive'),
  STALE_FOR: duration(
    both,
    '24h',
    'how long the last good frame is kept; for cameras that are not in SOURCES_FILE, see UNNAMED_STALE_FOR',
  ),
  UNNAMED_STALE_FOR: duration(
    worker,
    '10m',
    'how long the last frame of a camera that is not in SOURCES_FILE is kept after its last refresh; longer if the camera was in use for longer, never longer than STALE_FOR',
  ),
  MAX_CAMERAS: countOrZero(
    worker,
    '10000',
    'cameras of one source, besides those in SOURCES_FILE, that may be in use at once; above that: 503; 0 means no limit',
  ),
  COLD_WAIT: duration(api, '15s', 'how long a request waits for the first frame of a camera'),
  MEMORY_LIMIT: size(api, '256MiB', 'bytes of frames in the memory cache'),
  MIN_SEND_RATE: sizeOrZero(
    api,
    '1KiB',
    'bytes that a client must read per second, averaged over 30 s; slower ones are disconnected; 0 means no limit',
  ),
  MAX_UNSENT_BYTES: sizeOrZero(
    api,
    '64MiB',
    'bytes kept only for clients that have not read them yet; above that, the slowest clients are disconnected; 0 means no limit',
  ),
  HOST: word(api, '0.0.0.0', 'address of the public listener'),
  PORT: port(api, '8088', 'port of the public listener'),
  REUSE_PORT: flag(api, 'false', 'several api processes share one port (Linux)'),
  OPS_HOST: word(
    both,
    '127.0.0.1',
    'address of the ops listener: /livez, /readyz, /metrics, /queues (worker), /refresh and /purge (api)',
  ),
  OPS_PORT: port(
    both,
    undefined,
    'port of the ops listener: 9088 for the api, 9089 for the worker',
  ),
  QUEUES_USER: text(
    worker,
    undefined,
    'user name for the dashboard at /queues; if unset: loopback, read-only',
  ),
  QUEUES_PASSWORD: text(worker, undefined, 'password for the dashboard at /queues'),
  ADMIN_TOKEN: bearerToken(
    api,
    undefined,
    'bearer token for POST /refresh and /purge on the ops port; if unset, both respond with 404',
  ),
  URL_SIGNING_KEY: longText(
    api,
    undefined,
    'when set, every url= needs a valid sig=, see signed-urls.md',
  ),
  BASE_PATH: path(api, '/', 'where a reverse proxy mounts the api'),
  COLD_PER_MINUTE: countOrZero(
    api,
    '600',
    'new cameras without a frame that one client may request per minute; above that: 503; 0 means no limit',
  ),
  TRUSTED_PROXIES: networks(api, '', 'reverse proxies whose X-Forwarded-For identifies the client'),
  PLACEHOLDER: flag(api, 'false', 'show browsers a placeholder image for a missing frame'),
  MAX_STREAMS: count(
    api,
    '10000',
    'open streams (/events, /stream) per process, at most half of them from one client (see TRUSTED_PROXIES); above that: 503',
  ),
  FRONT: flag(api, 'true', 'serve frames in memory directly on the connection (fast path)'),
  MAX_WAITERS: count(
    api,
    '10000',
    'waiting requests per process; at most half of them may wait for the next frame, and at most half may come from one client (see TRUSTED_PROXIES); above that: 503',
  ),
  CONCURRENCY: count(worker, '1000', 'calls in flight per worker'),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl(
    both,
    undefined,
    'trace collector (OTLP over HTTP, JSON); /v1/traces is appended; if unset, tracing is off',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl(both, undefined, 'the same, as a full URL'),
  OTEL_SERVICE_NAME: text(
    both,
    undefined,
    'name in traces; if unset, lastframe-api and lastframe-worker',
  ),
  OTEL_TRACES_SAMPLER: sampler(both, 'parentbased_always_on', 'which traces are recorded'),
  OTEL_TRACES_SAMPLER_ARG: share(both, '1', 'the share of traces, for traceidratio'),
  OTEL_SDK_DISABLED: flag(both, 'false', 'no traces, whatever else is set'),
  LOG_LEVEL: logLevel(both, 'info', 'lowest level of the JSON lines on stdout'),
};

/** Defines variables of one type. */
type Define<T> = (
  processes: readonly ProcessName[],
  fallback: string | undefined,
  meaning: string,
) => Variable<T>;

function type<T>(
  expected: string,
  schema: z.ZodType<T>,
  fromText: (given: string) => unknown = (given) => given,
): Define<T> {
  const values = { expected, schema, fromText };
  return (processes, fallback, meaning) => ({ processes, fallback, meaning, ...values });
}

function matching(expected: string, form: RegExp): Define<string> {
  return type(expected, z.string(expected).regex(form, expected));
}

function oneOf<const T extends string>(...words: T[]): Define<T> {
  const expected = `one of ${words.join(', ')}`;
  return type(expected, z.enum(words, expected));
}

function parsed<T>(expected: string, parse: (given: string) => T | undefined): Define<T> {
  return type(expected, textOf(expected, parse));
}

function list<T>(expected: string, parseItem: (item: string) => T | undefined): Define<T[]> {
  return type(expected, listOf(expected, parseItem));
}

function number(expected: string, min: number, max: number): Define<number> {
  return type(expected, wholeNumber(expected, min, max), (given) =>
    /^\d{1,7}$/.test(given) ? Number(given) : given,
  );
}
