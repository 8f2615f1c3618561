import { describe, expect, it } from 'vitest';
import { refusal, render, type ValuesName } from './helm.ts';

/** Each a set of values, and the sentence that Helm refuses them with. */
const CONTRADICTIONS: [ValuesName, string[], string][] = [
  [
    'default',
    ['externalRedis.url=redis://r:6379'],
    'redis.bundled is true and externalRedis has a URL: set redis.bundled to false, or take the URL away.',
  ],
  [
    'default',
    ['externalRedis.urlSecret.name=r'],
    'redis.bundled is true and externalRedis has a URL: set redis.bundled to false, or take the URL away.',
  ],
  [
    'default',
    ['redis.bundled=false'],
    'redis.bundled is false and there is no other Redis: give externalRedis.url or externalRedis.urlSecret.',
  ],
  [
    'production',
    ['externalRedis.url=redis://r:6379'],
    'externalRedis.url and externalRedis.urlSecret are both given: keep one.',
  ],
  [
    'production',
    ['externalRedis.framesUrlSecret.name=r'],
    'externalRedis.framesUrl and externalRedis.framesUrlSecret are both given: keep one.',
  ],
  [
    'production',
    ['networkPolicy.egress=null'],
    'networkPolicy.enabled keeps the pods from an external Redis: say in networkPolicy.egress where it is.',
  ],
  [
    'default',
    ['externalRedis.framesUrl=redis://f:6379'],
    'networkPolicy.enabled keeps the pods from an external Redis: say in networkPolicy.egress where it is.',
  ],
  [
    'production',
    ['worker.keda.redisAddress='],
    'worker.keda.enabled with an external Redis needs worker.keda.redisAddress: KEDA takes no URL.',
  ],
  [
    'default',
    ['config.PORT=80'],
    'config.PORT is not for you to set: viewers see api.service.port.',
  ],
  [
    'default',
    ['config.ADOPT_REDIS=true'],
    'config.ADOPT_REDIS is not for you to set: other pods of the fleet may live, and then two could call one camera at once.',
  ],
  [
    'default',
    ['secretEnv.REDIS_URL.name=r', 'secretEnv.REDIS_URL.key=u'],
    'secretEnv.REDIS_URL is not for you to set: it follows from redis and externalRedis.',
  ],
  [
    'default',
    ['config.URL_SIGNING_KEY=0123456789abcdef'],
    'config.URL_SIGNING_KEY would be readable in a ConfigMap: give it in secretEnv.',
  ],
  [
    'production',
    ['secretEnv.INTERVAL.name=s', 'secretEnv.INTERVAL.key=i'],
    'INTERVAL is in config and in secretEnv: keep one.',
  ],
  [
    'default',
    ['secretEnv.QUEUES_PASSWORD.name=q', 'secretEnv.QUEUES_PASSWORD.key=p'],
    'QUEUES_USER and QUEUES_PASSWORD: only one of them is in secretEnv; give both or none.',
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
    'api.terminationGracePeriodSeconds is 18: it must be longer than the 18 s that the end takes.',
  ],
  [
    'default',
    ['worker.terminationGracePeriodSeconds=13'],
    'worker.terminationGracePeriodSeconds is 13: it must be longer than the 13 s that the end takes.',
  ],
  [
    'default',
    ['config.MEMORY_LIMIT=257MiB'],
    'api.resources.limits.memory is 704Mi: it must hold MEMORY_LIMIT (257MiB), MAX_UNSENT_BYTES (64MiB) and 384 MiB.',
  ],
  [
    'default',
    ['api.resources.limits.memory=500M'],
    'api.resources.limits.memory is 500M: it must hold MEMORY_LIMIT (256MiB), MAX_UNSENT_BYTES (64MiB) and 384 MiB.',
  ],
  [
    'default',
    ['redis.maxMemory=1gb'],
    'redis.resources.limits.memory is 1Gi: it must be above redis.maxMemory (1gb).',
  ],
  [
    'production',
    ['sources.existingSecret=s'],
    'sources.existingSecret and sources.file are both given: write all sources into one of them.',
  ],
  [
    'demo',
    ['sources.existingSecret=s'],
    'slowServer.enabled adds a source, which sources.existingSecret leaves no place for: use sources.file.',
  ],
  [
    'production',
    ['externalRedis.urlSecret.name=', 'externalRedis.url=redis://r:6379'],
    "externalRedis: a URL of the worker's own needs one of the api's in a Secret as well.",
  ],
  [
    'default',
    ['ingress.tlsSecret=t'],
    'ingress.tlsSecret is given without ingress.host: a certificate is for a host.',
  ],
  [
    'default',
    ['config.OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318'],
    'networkPolicy.enabled keeps traces from their collector: say in networkPolicy.egress where it is.',
  ],
];

/** What the schema refuses: the place, and what is wrong with it. */
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
    'in the %s values with %j is refused: %s',
    async (name, values, sentence) => {
      expect(await refusal(name, ...sets(values))).toContain(sentence);
    },
  );
});

describe.concurrent('a value that the chart does not know, or of a wrong type', () => {
  it.each(BAD_VALUES)('%s is refused with its place', async (value, said) => {
    expect(await refusal('default', '--set', value)).toMatch(said);
  });
});

it('what is just not contradictory is taken', async () => {
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
