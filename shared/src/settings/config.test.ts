import { describe, expect, it } from 'vitest';
import { testDefaults } from '../../../testing/test-camera.ts';
import { ConfigError, type Env, readApiConfig, readWorkerConfig } from './config.ts';

function faultsOf(env: Env, read: (env: Env) => unknown = readApiConfig): readonly string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('the configuration of the api', () => {
  it('has a default for everything and allows no camera until configured', () => {
    expect(readApiConfig({})).toEqual({
      redisUrl: 'redis://127.0.0.1:6379',
      framesRedisUrl: 'redis://127.0.0.1:6379',
      redisTlsFiles: { ca: '', cert: '', key: '' },
      redisPrefix: 'lastframe',
      sources: [],
      sourcesFile: '',
      sourceDefaults: testDefaults,
      urlSigningKey: '',
      basePath: '/',
      coldPerMinute: 600,
      trustedProxies: [],
      adminToken: '',
      opsHost: '127.0.0.1',
      opsPort: 9088,
      logLevel: 'info',
      tracing: undefined,
      coldWaitMs: 15_000,
      memoryLimitBytes: 256 * 1024 ** 2,
      minSendRate: 1024,
      maxUnsentBytes: 64 * 1024 ** 2,
      host: '0.0.0.0',
      port: 8088,
      reusePort: false,
      maxWaiters: 10_000,
      maxStreams: 10_000,
      placeholder: false,
      fastPath: true,
    });
  });

  it('makes every allowed pattern a source, with the values that all sources share', () => {
    const { sources } = readApiConfig({
      ALLOWED_SOURCES: ' http://localhost:8888/*, https://cams.example.com/* ,',
      INTERVAL: '10s',
      STALE_FOR: '1h',
    });
    expect(
      sources.map(({ name, intervalMs, staleForMs }) => [name, intervalMs, staleForMs]),
    ).toEqual([
      ['http://localhost:8888/*', 10_000, 3_600_000],
      ['https://cams.example.com/*', 10_000, 3_600_000],
    ]);
  });

  it('treats an empty or blank variable as not set, and ignores unknown ones', () => {
    expect(readApiConfig({ PORT: '', HOST: '  ', SOMETHING: 'else' })).toEqual(readApiConfig({}));
  });
});

describe('the configuration of the worker', () => {
  it('has a default for everything, and its own ops port', () => {
    const config = readWorkerConfig({});
    expect(config.opsPort).toBe(9089);
    expect(config).toMatchObject({
      maxReplicaLagMs: 10_000,
      adoptRedis: false,
      concurrency: 1000,
      queuesUser: '',
      queuesPassword: '',
    });
  });

  it('applies the limits of a call to its sources', () => {
    const { sources } = readWorkerConfig({
      ALLOWED_SOURCES: 'http://localhost:8888/*',
      ALLOWED_NETWORKS: '127.0.0.1',
      UPSTREAM_TIMEOUT: '20s',
      START_ALLOWANCE: '1500ms',
      MAX_FRAME_SIZE: '1MiB',
    });
    expect(sources[0]).toMatchObject({
      timeoutMs: 20_000,
      startAllowanceMs: 1500,
      maxFrameBytes: 1024 ** 2,
      budget: { perSecond: 0, concurrency: 0 },
    });
    expect(sources[0]?.networks.map(String)).toEqual(['127.0.0.1,32']);
  });
});

describe('the frames Redis', () => {
  it('is the queue Redis unless it is set', () => {
    const queue = 'redis://queue:6379';
    const frames = 'redis://frames:6379';
    expect(readApiConfig({ REDIS_URL: queue }).framesRedisUrl).toBe(queue);
    expect(readApiConfig({ REDIS_URL: queue, FRAMES_REDIS_URL: frames }).framesRedisUrl).toBe(
      frames,
    );
  });

  it('is not a second fault if the queue Redis is invalid', () => {
    expect(faultsOf({ REDIS_URL: 'http://queue' })).toHaveLength(1);
  });
});

describe('faults', () => {
  it('are listed all at once, each with its name, what is given and what is expected', () => {
    const env = { INTERVAL: '5', PORT: '65536', LOG_LEVEL: 'loud', MEMORY_LIMIT: '256MB' };
    expect(faultsOf(env)).toEqual([
      'INTERVAL: "5" is not valid; expected a duration like 500ms, 5s, 10m or 24h',
      'LOG_LEVEL: "loud" is not valid; expected one of fatal, error, warn, info, debug, trace, silent',
      'MEMORY_LIMIT: "256MB" is not valid; expected a size like 512KiB, 8MiB or 1GiB',
      'PORT: "65536" is not valid; expected a port from 0 to 65535; 0 picks a free one',
    ]);
  });

  it('form one message with a line each', () => {
    expect(() => readWorkerConfig({ CONCURRENCY: '0', ADOPT_REDIS: 'yes' })).toThrow(
      [
        'bad configuration:',
        '  ADOPT_REDIS: "yes" is not valid; expected true or false',
        '  CONCURRENCY: "0" is not valid; expected a whole number from 1 to 1000000',
      ].join('\n'),
    );
  });

  it('say what is wrong with a pattern', () => {
    expect(faultsOf({ ALLOWED_SOURCES: 'localhost:8888/*' })).toEqual([
      'ALLOWED_SOURCES: "localhost:8888/*" is not valid; expected URL patterns like ' +
        'http://localhost:8888/*,https://cams.example.com/* (it must begin with http:// or https:// and a host)',
    ]);
  });

  it.each([
    'redis://user:s3cret@host:port',
    'redis://:s3cret@host:port',
    'redis://:s3c/ret@host:6379',
    'redis://:s3cret@s3cret@host:port',
    'redis://:x:s3cret@host:port',
    'redis:user:s3cret@host:port',
    'user:s3cret@host:6379',
    'http://user:s3cret@host',
  ])('never show the password of %s', (url) => {
    const [fault = ''] = faultsOf({ REDIS_URL: url });
    expect(fault).toMatch(/^REDIS_URL: ".*…@.*host.*" is not valid/);
    expect(fault).not.toMatch(/s3c|ret/);
  });

  it.each([
    'redis+sentinel://user:s3cret@host:port/m',
    'redis+sentinel://host:port/m?sentinelPassword=s3cret',
    'rediss+cluster://:s3cret@host:port',
  ])('never show the password of %s', (url) => {
    for (const name of ['REDIS_URL', 'FRAMES_REDIS_URL']) {
      const [fault = ''] = faultsOf({ [name]: url });
      expect(fault).toMatch(new RegExp(`^${name}: ".*host.*" is not valid; expected .* \\(`));
      expect(fault).not.toContain('s3cret');
    }
  });

  it('include a hash tag in the prefix that would put all frames into one slot of a Cluster', () => {
    const env = { FRAMES_REDIS_URL: 'redis+cluster://a', REDIS_PREFIX: '{x}' };
    expect(faultsOf(env)).toEqual([expect.stringContaining('REDIS_PREFIX: its {')]);
    expect(faultsOf({ ...env, FRAMES_REDIS_URL: 'redis://a' })).toEqual([]);
  });

  it('never show the password of the dashboard', () => {
    expect(faultsOf({ QUEUES_PASSWORD: 's3cret\u0007x' }, readWorkerConfig)).toEqual([
      'QUEUES_PASSWORD: "…" is not valid; expected text without control characters',
    ]);
  });
});

it.each([{ QUEUES_USER: 'admin' }, { QUEUES_PASSWORD: 'secret' }])(
  'rejects half a dashboard login instead of ignoring it: %j',
  (env) => {
    expect(() => readWorkerConfig(env)).toThrow(/QUEUES_USER and QUEUES_PASSWORD.*both or none/s);
    expect(() => readWorkerConfig(env)).not.toThrow(/secret/);
  },
);
