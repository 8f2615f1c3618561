import { describe, expect, it } from 'vitest';
import { render, renderError, type ValuesName } from './helm.ts';

/** Contradictory values, each with Helm's error message. */
const CONTRADICTIONS: [ValuesName, string[], string][] = [
  [
    'default',
    ['externalRedis.url=redis://r:6379'],
    'redis.bundled is true and externalRedis has a URL: set redis.bundled to false, or remove the URL.',
  ],
  [
    'default',
    ['externalRedis.urlSecret.name=r'],
    'redis.bundled is true and externalRedis has a URL: set redis.bundled to false, or remove the URL.',
  ],
  [
    'default',
    ['redis.bundled=false'],
    'redis.bundled is false and no external Redis is configured: set externalRedis.url or externalRedis.urlSecret.',
  ],
  [
    'production',
    ['externalRedis.url=redis://r:6379'],
    'externalRedis.url and externalRedis.urlSecret are both set: keep one.',
  ],
  [
    'production',
    ['externalRedis.framesUrlSecret.name=r'],
    'externalRedis.framesUrl and externalRedis.framesUrlSecret are both set: keep one.',
  ],
  [
    'production',
    ['networkPolicy.egress=null'],
    'networkPolicy.enabled blocks the external Redis: allow it in networkPolicy.egress.',
  ],
  [
    'default',
    ['externalRedis.framesUrl=redis://f:6379'],
    'networkPolicy.enabled blocks the external Redis: allow it in networkPolicy.egress.',
  ],
  ['default', ['config.PORT=80'], 'config.PORT cannot be set: set api.service.port instead.'],
  [
    'default',
    ['config.ADOPT_REDIS=true'],
    'config.ADOPT_REDIS cannot be set: other pods of the fleet may be running, and two could call one camera at once.',
  ],
  [
    'default',
    ['secretEnv.REDIS_URL.name=r', 'secretEnv.REDIS_URL.key=u'],
    'secretEnv.REDIS_URL cannot be set: the chart derives it from redis and externalRedis.',
  ],
  [
    'default',
    ['config.URL_SIGNING_KEY=0123456789abcdef'],
    'config.URL_SIGNING_KEY would be readable in a ConfigMap: set it in secretEnv.',
  ],
  [
    'production',
    ['secretEnv.INTERVAL.name=s', 'secretEnv.INTERVAL.key=i'],
    'INTERVAL is in config and in secretEnv: keep one.',
  ],
  [
    'default',
    ['secretEnv.QUEUES_PASSWORD.name=q', 'secretEnv.QUEUES_PASSWORD.key=p'],
    'QUEUES_USER and QUEUES_PASSWORD: only one of them is in secretEnv; set both or neither.',
  ],
  [
    'production',
    ['worker.autoscaling.enabled=true'],
    'worker.autoscaling and worker.keda are both enabled: two autoscalers would fight over the workers.',
  ],
  [
    'default',
    ['api.autoscaling.minReplicas=11'],
    'api.autoscaling.minReplicas is 11, above its maxReplicas of 10.',
  ],
  [
    'default',
    ['worker.autoscaling.maxReplicas=1'],
    'worker.autoscaling.minReplicas is 2, above its maxReplicas of 1.',
  ],
  [
    'default',
    ['worker.keda.maxReplicas=1'],
    'worker.keda.minReplicas is 2, above its maxReplicas of 1.',
  ],
  [
    'default',
    ['api.terminationGracePeriodSeconds=18'],
    'api.terminationGracePeriodSeconds is 18: it must be longer than the 18 s that shutdown takes.',
  ],
  [
    'default',
    ['worker.terminationGracePeriodSeconds=13'],
    'worker.terminationGracePeriodSeconds is 13: it must be longer than the 13 s that shutdown takes.',
  ],
  [
    'default',
    ['config.MEMORY_LIMIT=257MiB'],
    'api.resources.limits.memory is 704Mi: it must cover MEMORY_LIMIT (257MiB), MAX_UNSENT_BYTES (64MiB) and 384 MiB.',
  ],
  [
    'default',
    ['api.resources.limits.memory=500M'],
    'api.resources.limits.memory is 500M: it must cover MEMORY_LIMIT (256MiB), MAX_UNSENT_BYTES (64MiB) and 384 MiB.',
  ],
  [
    'default',
    ['redis.maxMemory=1gb'],
    'redis.resources.limits.memory is 1Gi: it must exceed redis.maxMemory (1gb).',
  ],
  [
    'production',
    ['sources.existingSecret=s'],
    'sources.existingSecret and sources.file are both set: put all sources into one of them.',
  ],
  [
    'demo',
    ['sources.existingSecret=s'],
    'slowServer.enabled adds a source, which is impossible with sources.existingSecret: use sources.file.',
  ],
  [
    'production',
    ['externalRedis.urlSecret.name=', 'externalRedis.url=redis://r:6379'],
    'externalRedis: if the worker has its own URL in a Secret, the api needs one in a Secret too.',
  ],
  [
    'default',
    ['ingress.tlsSecret=t'],
    'ingress.tlsSecret is set without ingress.host: set the host of its certificate.',
  ],
  [
    'default',
    ['config.OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318'],
    'networkPolicy.enabled blocks the trace collector: allow it in networkPolicy.egress.',
  ],
];

/** Values that the schema rejects, each with the place and the problem. */
const BAD_VALUES: [string, RegExp][] = [
  ['replicas=3', /at '': additional properties 'replicas' not allowed/],
  ['api.replica=3', /at '\/api': additional properties 'replica' not allowed/],
  ['api.replicas=three', /at '\/api\/replicas': got string, want integer/],
  ['api.replicas=0', /at '\/api\/replicas': minimum: got 0, want 1/],
  ['api.service.type=External', /at '\/api\/service\/type': value must be one of 'ClusterIP'/],
  ['config.INTERVALL=5s', /at '\/config': additional properties 'INTERVALL' not allowed/],
  ['config.INTERVAL=5', /at '\/config\/INTERVAL': got number, want string/],
  ['config.STALE_FOR=1 day', /at '\/config\/STALE_FOR': '1 day' does not match pattern/],
  ['config.MEMORY_LIMIT=256Mi', /at '\/config\/MEMORY_LIMIT': '256Mi' does not match pattern/],
  ['config.MAX_WAITERS=0', /at '\/config\/MAX_WAITERS': minimum: got 0, want 1/],
  ['config.LOG_LEVEL=loud', /at '\/config\/LOG_LEVEL': value must be one of 'fatal'/],
  ['secretEnv.URL_SIGNING_KEY=plain', /at '\/secretEnv\/URL_SIGNING_KEY': got string, want object/],
  ['secretEnv.URL_SIGNING_KEY.name=s', /missing property 'key'/],
  [
    'externalRedis.url=redis://:secret@r:6379',
    /at '\/externalRedis\/url': .* does not match pattern/,
  ],
  [
    'networkPolicy.cameras[0].cidr=10.0.0.1',
    /at '\/networkPolicy\/cameras\/0\/cidr': '10.0.0.1' does not match/,
  ],
  [
    'sources.file.camera.n1.url=http://c/',
    /at '\/sources\/file': additional properties 'camera' not allowed/,
  ],
  ['slowServer.enabled=yes', /at '\/slowServer\/enabled': got string, want boolean/],
  ['metrics.serviceMonitor.enable=true', /additional properties 'enable' not allowed/],
];

const sets = (values: readonly string[]) => values.flatMap((value) => ['--set', value]);

describe.concurrent('a contradiction', () => {
  it.each(CONTRADICTIONS)(
    'in the %s values with %j is rejected: %s',
    async (name, values, sentence) => {
      expect(await renderError(name, ...sets(values))).toContain(sentence);
    },
  );
});

describe.concurrent('an unknown value, or one of a wrong type', () => {
  it.each(BAD_VALUES)('%s is rejected with its place', async (value, message) => {
    expect(await renderError('default', '--set', value)).toMatch(message);
  });
});

it('values just within the limits are accepted', async () => {
  const values = [
    'api.terminationGracePeriodSeconds=19',
    'worker.terminationGracePeriodSeconds=14',
  ];
  values.push(
    'config.MEMORY_LIMIT=300MiB',
    'config.MAX_UNSENT_BYTES=20MiB',
    'redis.maxMemory=1023mb',
  );
  expect(await render('default', ...sets(values))).not.toEqual([]);
});
