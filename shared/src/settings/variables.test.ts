import { expect, it } from 'vitest';
import type { z } from 'zod';
import { variables } from './variables.ts';

/** The variables and defaults that operators rely on. */
const contract: Record<keyof typeof variables, [usedBy: string, fallback: string | undefined]> = {
  REDIS_URL: ['api, worker', 'redis://127.0.0.1:6379'],
  FRAMES_REDIS_URL: ['api, worker', undefined],
  REDIS_CA_FILE: ['api, worker', undefined],
  REDIS_CERT_FILE: ['api, worker', undefined],
  REDIS_KEY_FILE: ['api, worker', undefined],
  REDIS_PREFIX: ['api, worker', 'lastframe'],
  ALLOWED_SOURCES: ['api, worker', ''],
  ALLOWED_NETWORKS: ['api, worker', ''],
  SOURCES_FILE: ['api, worker', undefined],
  INTERVAL: ['api, worker', '5s'],
  UPSTREAM_TIMEOUT: ['api, worker', '15s'],
  START_ALLOWANCE: ['api, worker', '4s'],
  MAX_REPLICA_LAG: ['worker', '10s'],
  ADOPT_REDIS: ['worker', 'false'],
  MAX_FRAME_SIZE: ['worker', '8MiB'],
  STALE_FOR: ['api, worker', '24h'],
  UNNAMED_STALE_FOR: ['worker', '10m'],
  MAX_CAMERAS: ['worker', '10000'],
  COLD_WAIT: ['api', '15s'],
  MEMORY_LIMIT: ['api', '256MiB'],
  MIN_SEND_RATE: ['api', '1KiB'],
  MAX_UNSENT_BYTES: ['api', '64MiB'],
  HOST: ['api', '0.0.0.0'],
  PORT: ['api', '8088'],
  REUSE_PORT: ['api', 'false'],
  OPS_HOST: ['api, worker', '127.0.0.1'],
  OPS_PORT: ['api, worker', undefined],
  QUEUES_USER: ['worker', undefined],
  QUEUES_PASSWORD: ['worker', undefined],
  ADMIN_TOKEN: ['api', undefined],
  URL_SIGNING_KEY: ['api', undefined],
  BASE_PATH: ['api', '/'],
  COLD_PER_MINUTE: ['api', '600'],
  TRUSTED_PROXIES: ['api', ''],
  PLACEHOLDER: ['api', 'false'],
  MAX_STREAMS: ['api', '10000'],
  FRONT: ['api', 'true'],
  MAX_WAITERS: ['api', '10000'],
  CONCURRENCY: ['worker', '1000'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['api, worker', undefined],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ['api, worker', undefined],
  OTEL_SERVICE_NAME: ['api, worker', undefined],
  OTEL_TRACES_SAMPLER: ['api, worker', 'parentbased_always_on'],
  OTEL_TRACES_SAMPLER_ARG: ['api, worker', '1'],
  OTEL_SDK_DISABLED: ['api, worker', 'false'],
  LOG_LEVEL: ['api, worker', 'info'],
};

it('has the variables of the contract, with their processes and defaults', () => {
  const actual = Object.entries(variables).map(([name, { processes, fallback }]) => [
    name,
    [processes.join(', '), fallback],
  ]);
  expect(Object.fromEntries(actual)).toEqual(contract);
});

/** Returns the value of a variable with this text; undefined if the text is invalid. */
function parse<N extends keyof typeof variables>(name: N, text: string) {
  const { schema, fromText } = variables[name];
  const { data } = schema.safeParse(fromText(text));
  return data as z.infer<(typeof variables)[N]['schema']> | undefined;
}

it.each(Object.entries(variables))('accepts its own default for %s', (_, variable) => {
  const { fallback, schema, fromText } = variable;
  if (fallback !== undefined) expect(schema.safeParse(fromText(fallback)).success).toBe(true);
});

it.each(['yes', '1', 'TRUE', '', 'constructor', '__proto__'])(
  'accepts true and false for a flag, but not %j',
  (text) => expect(parse('REUSE_PORT', text)).toBeUndefined(),
);

it.each(['-1', '65536', '80.5', '0x50', '1e3', '', ' 80', '١'])('rejects port %j', (text) => {
  expect(parse('PORT', text)).toBeUndefined();
});

it('accepts the ports 0 to 65535', () => {
  expect(['0', '8088', '65535'].map((text) => parse('PORT', text))).toEqual([0, 8088, 65_535]);
});

it.each(['0', '1000001', '-5', 'many'])('rejects a count of %j', (text) => {
  expect(parse('CONCURRENCY', text)).toBeUndefined();
});

it.each(['http://127.0.0.1:6379', '127.0.0.1:6379', 'redis', 'redis:host', 'redis://', ''])(
  'rejects the Redis URL %j',
  (text) => expect(parse('REDIS_URL', text)).toBeUndefined(),
);

it('accepts several networks and addresses of both families', () => {
  const networks = parse('ALLOWED_NETWORKS', '10.20.0.0/16, ::1/128,127.0.0.1,fd00::1');
  expect(networks?.map(([address, bits]) => `${address}/${bits}`)).toEqual([
    '10.20.0.0/16',
    '::1/128',
    '127.0.0.1/32',
    'fd00::1/128',
  ]);
});

it.each(['10.0.0.0/33', '10.0', '10', 'localhost', '10.0.0.0/8;::1'])(
  'rejects the network %j and names it',
  (text) => {
    const { error } = variables.ALLOWED_NETWORKS.schema.safeParse(`127.0.0.1,${text}`);
    expect(error?.issues[0]?.message).toContain(`"${text}" is not valid`);
  },
);

it('accepts a base path with or without a trailing slash, and a key of sufficient length', () => {
  expect(['/', '/cams', '/a/b/'].map((v) => parse('BASE_PATH', v))).toEqual(['/', '/cams', '/a/b']);
  expect(['cams', '//', '/a//b', '/a?b'].map((v) => parse('BASE_PATH', v))).toEqual(
    Array(4).fill(undefined),
  );
  expect(parse('URL_SIGNING_KEY', 'short')).toBeUndefined();
  expect(parse('URL_SIGNING_KEY', 'sixteen letters!')).toBe('sixteen letters!');
});
