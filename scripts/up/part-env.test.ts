import { expect, test } from 'vitest';
import { apiEnv, slowServerEnv, workerEnv } from './part-env.ts';

const settings = {
  apiPort: 8088,
  apiOpsPorts: [9088, 9087, 9086],
  reusePort: true,
  slowPort: 8888,
  workerOpsPort: 9089,
  redisUrl: undefined,
};
const redis = 'redis://127.0.0.1:16379';

test('the demo camera is allowed, in addition to what the user allows', () => {
  const env = { ALLOWED_SOURCES: 'https://cams.example.com/*', ALLOWED_NETWORKS: '10.0.0.0/8' };
  for (const part of [workerEnv(env, settings, redis), apiEnv(env, settings, redis, 9088)]) {
    expect(part.ALLOWED_SOURCES).toBe('http://localhost:8888/*,https://cams.example.com/*');
    expect(part.ALLOWED_NETWORKS).toBe('127.0.0.0/8,::1/128,10.0.0.0/8');
  }
});

test('the wall shows the demo, unless the user names their own cameras', () => {
  const partsOf = (env: Record<string, string>) => [
    workerEnv(env, settings, redis),
    apiEnv(env, settings, redis, 9088),
  ];
  for (const part of partsOf({})) expect(part.SOURCES_FILE).toBe('.lastframe/cameras.yaml');
  for (const part of partsOf({ SOURCES_FILE: 'own.yaml' })) {
    expect(part.SOURCES_FILE).toBe('own.yaml');
  }
});

test('only the private Redis is adopted without a hold-off', () => {
  const outside = { REDIS_URL: 'redis://elsewhere:6379' };
  expect(workerEnv({}, settings, redis)).toMatchObject({
    REDIS_URL: redis,
    ADOPT_REDIS: 'true',
  });
  expect(workerEnv(outside, settings, undefined)).toMatchObject(outside);
  expect(workerEnv(outside, settings, undefined).ADOPT_REDIS).toBeUndefined();
});

test('each process has its own ops port and the apis share the public one', () => {
  const env = { OPS_PORT: '1', PORT: '2', DELAY: '1s' };
  const [first, last] = [9088, 9086].map((opsPort) => apiEnv(env, settings, redis, opsPort));
  expect(first).toMatchObject({ PORT: '8088', REUSE_PORT: 'true', OPS_PORT: '9088' });
  expect(last).toMatchObject({ PORT: '8088', REUSE_PORT: 'true', OPS_PORT: '9086' });
  expect(workerEnv(env, settings, redis).OPS_PORT).toBe('9089');
});

test('the slow server keeps its own port and address', () => {
  const env = { PORT: '9000', HOST: '0.0.0.0', DELAY: '1s' };
  expect(slowServerEnv(env, settings)).toEqual({ HOST: '127.0.0.1', PORT: '8888', DELAY: '1s' });
});
