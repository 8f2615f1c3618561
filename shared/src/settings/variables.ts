import { parseNetwork } from '../cameras/source.ts';
import { UrlPattern } from '../cameras/url-pattern.ts';
import { FRAMES_URL_FORM, parseQueueUrl, parseRedisUrl, REDIS_URL_FORM } from './redis-url.ts';
import { DURATION_FORM, parseDurationMs, parseSizeBytes, SIZE_FORM } from './units.ts';

export type ProcessName = 'api' | 'worker';

/** One environment variable. `parse` throws or gives undefined for a text that it can't take. */
interface Variable<T> {
  processes: readonly ProcessName[];
  /** Undefined: it need not be set and has no value then. */
  fallback: string | undefined;
  meaning: string;
  expected: string;
  parse: (text: string) => T | undefined;
}

const both = ['api', 'worker'] as const;
const api = ['api'] as const;
const worker = ['worker'] as const;

/** Every variable of api and worker: what config, docs and chart are checked against. */
export const variables = {
  REDIS_URL: {
    processes: both,
    fallback: 'redis://127.0.0.1:6379',
    meaning: 'queue and permits (noeviction, persistent), see redis.md',
    expected: REDIS_URL_FORM,
    parse: parseQueueUrl,
  },
  FRAMES_REDIS_URL: {
    processes: both,
    fallback: undefined,
    meaning: 'frames and announcements (may evict); without it REDIS_URL is for both',
    expected: FRAMES_URL_FORM,
    parse: (value: string) => parseRedisUrl(value) && value,
  },
  REDIS_CA_FILE: optional(both, 'PEM file of the authorities that sign the certificates of Redis'),
  REDIS_CERT_FILE: optional(both, 'PEM file of the certificate that Redis is shown'),
  REDIS_KEY_FILE: optional(both, 'PEM file of its private key'),
  REDIS_PREFIX: text(both, 'lastframe', 'first part of every key'),
  ALLOWED_SOURCES: list(
    both,
    'comma-separated URL patterns of the cameras that may be called; without it everything is refused',
    'URL patterns like http://localhost:8888/*,https://cams.example.com/*',
    (item) => new UrlPattern(item).text,
  ),
  ALLOWED_NETWORKS: list(
    both,
    'networks that may be called although they are private, loopback or link-local',
    'networks like 10.20.0.0/16,::1/128',
    parseNetwork,
  ),
  SOURCES_FILE: optional(both, 'YAML file of source rules and named cameras, see sources.md'),
  INTERVAL: duration(both, '5s', 'least time between two calls to one camera'),
  UPSTREAM_TIMEOUT: duration(both, '15s', 'deadline of one call, from sending to the last byte'),
  START_ALLOWANCE: duration(
    both,
    '4s',
    'a call is sent within it after asking for its permit (DNS, TCP, TLS), or not at all',
  ),
  MAX_REPLICA_LAG: duration(worker, '10s', 'with replicas: their min-replicas-max-lag'),
  ADOPT_REDIS: flag(
    worker,
    'false',
    'start without a hold-off; only when nothing else of the fleet lives and Redis kept its data',
  ),
  MAX_FRAME_SIZE: size(worker, '8MiB', 'larger bodies are refused while they stream'),
  STALE_FOR: duration(both, '24h', 'how long the last good frame is kept'),
  UNNAMED_STALE_FOR: duration(
    worker,
    '10m',
    'how long the last frame of a camera that is not in SOURCES_FILE is kept after its last refresh; longer if the camera was in use for longer, never longer than STALE_FOR',
  ),
  MAX_CAMERAS: count(
    worker,
    '10000',
    'cameras of one source that are not in SOURCES_FILE, in use at the same time; beyond: 503; 0 is no bound',
    0,
  ),
  COLD_WAIT: duration(api, '15s', 'how long a request waits for the first frame of a camera'),
  MEMORY_LIMIT: size(api, '256MiB', 'bytes of frames in the memory cache'),
  MIN_SEND_RATE: sizeOrOff(
    api,
    '1KiB',
    'bytes that a client must take per second, averaged over 30 s; slower ones are disconnected; 0 is no bound',
  ),
  MAX_UNSENT_BYTES: sizeOrOff(
    api,
    '64MiB',
    'bytes kept only for clients that have not read them yet; beyond, the slowest clients are disconnected; 0 is no bound',
  ),
  HOST: text(api, '0.0.0.0', 'address of the public listener'),
  PORT: port(api, '8088', 'port of the public listener'),
  REUSE_PORT: flag(api, 'false', 'several api processes share one port (Linux)'),
  OPS_HOST: text(
    both,
    '127.0.0.1',
    'address of the ops listener: /livez, /readyz, /metrics, on the worker /queues, on the api /refresh and /purge',
  ),
  OPS_PORT: port(
    both,
    undefined,
    'port of the ops listener; 9088 for the api, 9089 for the worker',
  ),
  QUEUES_USER: optional(
    worker,
    'user of the dashboard at /queues; without it: loopback, read-only',
  ),
  QUEUES_PASSWORD: optional(worker, 'password of the dashboard at /queues'),
  ADMIN_TOKEN: {
    processes: api,
    fallback: undefined,
    meaning: 'bearer token of POST /refresh and /purge on the ops port; without it both are 404',
    expected: 'letters, digits and -._~+/ with = at the end only',
    parse: (value: string) => (/^([\w.~+/-]+=*)?$/.test(value) ? value : undefined),
  },
  URL_SIGNING_KEY: {
    processes: api,
    fallback: undefined,
    meaning: 'when set, every url= needs a valid sig=, see signed-urls.md',
    expected: 'text of at least 16 characters without control characters',
    parse: (value: string) => (/^([^\x00-\x1f]{16,})?$/.test(value) ? value : undefined),
  },
  BASE_PATH: {
    processes: api,
    fallback: '/',
    meaning: 'where a reverse proxy mounts the api',
    expected: 'a path like / or /cams',
    parse: (value: string) =>
      /^(\/[\w.~-]+)+\/?$|^\/$/.test(value) ? value.replace(/\/$/, '') || '/' : undefined,
  },
  COLD_PER_MINUTE: count(
    api,
    '600',
    'new cameras without a frame that one client may ask for; beyond: 503; 0 is no bound',
    0,
  ),
  TRUSTED_PROXIES: list(
    api,
    'reverse proxies whose X-Forwarded-For says who the client is',
    'networks like 10.20.0.0/16,::1/128',
    parseNetwork,
  ),
  PLACEHOLDER: flag(api, 'false', 'draw an image for browsers where there is no frame'),
  MAX_STREAMS: count(
    api,
    '10000',
    'open streams (/events, /stream) per process, at most half of them of one client (see TRUSTED_PROXIES); beyond: 503',
  ),
  FRONT: flag(api, 'true', 'frames in memory are served right on the connection (a fast path)'),
  MAX_WAITERS: count(
    api,
    '10000',
    'waiting requests, at most half of them for a next frame, all for a first one, and at most half of one client (see TRUSTED_PROXIES); beyond: 503',
  ),
  CONCURRENCY: count(worker, '1000', 'calls in flight per worker'),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl(
    'collector of traces (OTLP over HTTP, JSON), to which /v1/traces is added; without it none are made',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl('the same, as a whole URL'),
  OTEL_SERVICE_NAME: optional(
    both,
    'name in traces; without it lastframe-api and lastframe-worker',
  ),
  OTEL_TRACES_SAMPLER: {
    processes: both,
    fallback: 'parentbased_always_on',
    meaning: 'which traces are recorded',
    expected: '[parentbased_]always_on, …always_off or …traceidratio',
    parse: (value: string) =>
      /^(parentbased_)?(always_on|always_off|traceidratio)$/.test(value) ? value : undefined,
  },
  OTEL_TRACES_SAMPLER_ARG: {
    processes: both,
    fallback: '1',
    meaning: 'the share of traces, for traceidratio',
    expected: 'a number from 0 to 1',
    parse: (value: string) => (/^(0?\.\d+|[01](\.0+)?)$/.test(value) ? Number(value) : undefined),
  },
  OTEL_SDK_DISABLED: flag(both, 'false', 'no traces, whatever else is set'),
  LOG_LEVEL: {
    processes: both,
    fallback: 'info',
    meaning: 'least level of the JSON lines on stdout',
    expected: 'one of fatal, error, warn, info, debug, trace, silent',
    parse: (value: string) =>
      /^(fatal|error|warn|info|debug|trace|silent)$/.test(value) ? value : undefined,
  },
} as const satisfies Record<string, Variable<unknown>>;

function text(who: readonly ProcessName[], fallback: string, meaning: string): Variable<string> {
  const expected = 'a word without spaces';
  return {
    processes: who,
    fallback,
    meaning,
    expected,
    parse: (v) => (/^\S+$/.test(v) ? v : undefined),
  };
}

function optional(who: readonly ProcessName[], meaning: string): Variable<string> {
  const parse = (value: string) => (/^[^\x00-\x1f]*$/.test(value) ? value : undefined);
  return {
    processes: who,
    fallback: undefined,
    meaning,
    expected: 'text without control characters',
    parse,
  };
}

function httpUrl(meaning: string): Variable<string> {
  const parse = (value: string) => {
    if (value === '') return value;
    return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) ? value : undefined;
  };
  return {
    processes: both,
    fallback: undefined,
    meaning,
    expected: 'a URL with http or https',
    parse,
  };
}

function list<T>(
  who: readonly ProcessName[],
  meaning: string,
  expected: string,
  parseItem: (item: string) => T | undefined,
): Variable<T[]> {
  const parse = (value: string) => {
    const items = value.split(',').map((item) => item.trim());
    return items.filter(Boolean).map((item) => {
      const parsed = parseItem(item);
      if (parsed === undefined) throw new TypeError(`"${item}" is none`);
      return parsed;
    });
  };
  return { processes: who, fallback: '', meaning, expected, parse };
}

function duration(
  who: readonly ProcessName[],
  fallback: string,
  meaning: string,
): Variable<number> {
  return { processes: who, fallback, meaning, expected: DURATION_FORM, parse: parseDurationMs };
}

function size(who: readonly ProcessName[], fallback: string, meaning: string): Variable<number> {
  return { processes: who, fallback, meaning, expected: SIZE_FORM, parse: parseSizeBytes };
}

function sizeOrOff(
  who: readonly ProcessName[],
  fallback: string,
  meaning: string,
): Variable<number> {
  const parse = (value: string) => (value === '0' ? 0 : parseSizeBytes(value));
  return { processes: who, fallback, meaning, expected: `${SIZE_FORM}, or 0`, parse };
}

function flag(who: readonly ProcessName[], fallback: string, meaning: string): Variable<boolean> {
  const values = new Map([
    ['true', true],
    ['false', false],
  ]);
  const parse = (value: string) => values.get(value);
  return { processes: who, fallback, meaning, expected: 'true or false', parse };
}

function port(
  who: readonly ProcessName[],
  fallback: string | undefined,
  meaning: string,
): Variable<number> {
  const parse = (value: string) => wholeNumber(value, 0, 65_535);
  return {
    processes: who,
    fallback,
    meaning,
    expected: 'a port from 0 to 65535; 0 takes a free one',
    parse,
  };
}

function count(
  who: readonly ProcessName[],
  fallback: string,
  meaning: string,
  least = 1,
): Variable<number> {
  const parse = (value: string) => wholeNumber(value, least, 1_000_000);
  return {
    processes: who,
    fallback,
    meaning,
    expected: `a whole number from ${least} to 1000000`,
    parse,
  };
}

function wholeNumber(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
