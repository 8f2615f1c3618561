import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readApiConfig, readWorkerConfig } from '@lastframe/shared/settings/config';
import { parseSourcesFile } from '@lastframe/shared/settings/sources-file';
import { variables } from '@lastframe/shared/settings/variables';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART, findObject, type KubeObject, render, VALUES } from './helm.ts';
import { environmentOf, podsOf } from './pods.ts';

/** Variables of the production values' sources, and a part of REDIS_URL. */
const FOREIGN = ['CAM_TOKEN', 'REDIS_PASSWORD'];
const SLOW_SERVER = ['HOST', 'PORT', 'DELAY'];
/** Variables that no pod may have, and why. */
const NEVER_SET = { REUSE_PORT: 'a pod has its own ports', ADOPT_REDIS: 'others may run' };

const names = Object.keys(variables) as (keyof typeof variables)[];
const namesOf = (part: string) =>
  names.filter((name) => (variables[name].processes as readonly string[]).includes(part));
const secretOf = (name: string, key: string) => {
  if (/url$/.test(key)) return `rediss://${key}:secret@redis.data.svc:6379`;
  return `${name}-${key}-0123456789`;
};

function environment(objects: readonly KubeObject[], part: string) {
  const pod = podsOf(objects).find(({ component }) => component === part);
  if (!pod) throw new Error(`there is no ${part}`);
  return environmentOf(objects, pod, secretOf);
}

it.each(VALUES)('the processes know every variable set by the %s values', async (values) => {
  const objects = await render(values);
  for (const part of ['api', 'worker']) {
    const known = [...namesOf(part), ...FOREIGN];
    const set = Object.keys(environment(objects, part));
    expect(set.filter((name) => !known.includes(name as never))).toEqual([]);
  }
  if (values === 'demo') {
    expect(Object.keys(environment(objects, 'slow-server'))).toEqual(SLOW_SERVER);
  }
});

it.each(VALUES)('the processes accept the environment of the %s values', async (values) => {
  const objects = await render(values);
  const api = readApiConfig(environment(objects, 'api'));
  const worker = readWorkerConfig(environment(objects, 'worker'));
  // The kubelet and Prometheus connect from outside the pod.
  expect([api.opsHost, worker.opsHost, api.host]).toEqual(['0.0.0.0', '0.0.0.0', '0.0.0.0']);
  expect([api.opsPort, worker.opsPort, api.port]).toEqual([9088, 9089, 8088]);
  expect(worker.adoptRedis).toBe(false);
  if (values !== 'production') expect(api.redisUrl).toBe('redis://demo-lastframe-redis:6379');
});

it('every variable can be set, except those that no pod may have', async () => {
  const { config, secret, chart } = parse(
    readFileSync(join(CHART, 'files/variables.yaml'), 'utf8'),
  );
  const settable = { ...config, ...secret };
  expect(Object.keys({ ...settable, ...chart }).toSorted()).toEqual(names.toSorted());
  const args = Object.keys(config).flatMap((name) => [
    '--set-json',
    `config.${name}=${sample(name)}`,
  ]);
  for (const name of Object.keys(secret))
    args.push('--set', `secretEnv.${name}.name=s,secretEnv.${name}.key=k`);
  // A trace collector needs an egress rule, which another test covers.
  args.push('--set', 'networkPolicy.enabled=false');
  const objects = [await render('default', ...args), await render('production')];
  for (const part of ['api', 'worker']) {
    const set = new Set(objects.flatMap((release) => Object.keys(environment(release, part))));
    const missing = namesOf(part).filter((name) => !set.has(name) && !(name in NEVER_SET));
    expect(missing).toEqual([]);
  }
});

it('the processes accept the values of variables that the schema accepts', async () => {
  const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8'));
  const schemas = schema.properties.config.properties;
  for (const [name, { fallback, schema, fromText }] of Object.entries(variables)) {
    const read = (text: string) => schema.safeParse(fromText(text)).data;
    const { type, pattern } = schemas[name];
    if (fallback && pattern) expect(fallback).toMatch(new RegExp(pattern));
    if (type === 'boolean') expect([read('true'), read('false')]).toEqual([true, false]);
    if (type === 'integer') expect(read(String(schemas[name].maximum))).toBe(schemas[name].maximum);
  }
});

it('large numbers have no exponent, lists are comma-separated', async () => {
  const { data } = findObject(await render('production'), 'ConfigMap', 'demo-lastframe-api');
  expect(data).toMatchObject({
    MAX_WAITERS: '1000000',
    ALLOWED_SOURCES: 'https://cams.example.com/*,https://more.example.com/live/*',
  });
});

it('api and worker can have separate Redis users', async () => {
  const objects = await render('production');
  expect(environment(objects, 'api').REDIS_URL).toContain('//api-url:');
  expect(environment(objects, 'worker').REDIS_URL).toContain('//worker-url:');
  const same = await render('production', '--set', 'externalRedis.workerUrlSecret.name=');
  expect(environment(same, 'worker').REDIS_URL).toContain('//api-url:');
});

it('the certificates of an external Redis are mounted, and named in the environment', async () => {
  const objects = await render('production');
  for (const part of ['api', 'worker']) {
    expect(environment(objects, part)).toMatchObject({
      REDIS_CA_FILE: '/etc/lastframe/redis-ca/ca.crt',
      REDIS_CERT_FILE: '/etc/lastframe/redis-client/tls.crt',
      REDIS_KEY_FILE: '/etc/lastframe/redis-client/tls.key',
    });
    const pod = podsOf(objects).find(({ component }) => component === part);
    const [{ volumeMounts }] = pod?.spec.containers ?? [];
    const mounted = volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    expect(mounted).toContain('/etc/lastframe/redis-ca');
    expect(mounted).toContain('/etc/lastframe/redis-client');
  }
});

it("the bundled Redis's password gets into REDIS_URL from its Secret", async () => {
  const objects = await render('default', '--set', 'redis.passwordSecret.name=r');
  const url = 'redis://:r-password-0123456789@demo-lastframe-redis:6379';
  expect(environment(objects, 'api').REDIS_URL).toBe(url);
  expect(environment(objects, 'worker').REDIS_URL).toBe(url);
  const redis = podsOf(objects).find(({ component }) => component === 'redis');
  expect(redis?.spec.containers[0].args).toEqual(['--requirepass', '$(REDISCLI_AUTH)']);
});

describe('the sources', () => {
  const read = (objects: readonly KubeObject[]) => {
    const { data } = findObject(objects, 'ConfigMap', 'demo-lastframe-sources');
    const config = readWorkerConfig(environment(objects, 'worker'));
    return parseSourcesFile(data['sources.yaml'], {
      file: config.sourcesFile,
      env: environment(objects, 'worker'),
      defaults: config.sourceDefaults,
      furtherSources: config.sources,
      readCertificate: (path) => data[path],
    });
  };

  it('of the demo allow the slow server by its Service name', async () => {
    const outcome = read(await render('demo'));
    expect(outcome).toMatchObject({ outcome: 'read', sources: [{ name: 'slow-server' }] });
  });

  it('of the production values are valid, with the certificate next to them', async () => {
    const objects = await render('production');
    const { data } = findObject(objects, 'ConfigMap', 'demo-lastframe-sources');
    expect(read(objects)).toMatchObject({ outcome: 'read', sources: [{ name: 'airport' }] });
    expect(data['cam.pem']).toContain('BEGIN CERTIFICATE');
  });

  it('are mounted as a folder, because a single mounted file is never updated', async () => {
    for (const { spec } of podsOf(await render('demo')).filter(
      ({ component }) => component === 'api' || component === 'worker',
    )) {
      expect(spec.containers[0].volumeMounts).toContainEqual({
        name: 'sources',
        mountPath: '/etc/lastframe/sources',
        readOnly: true,
      });
    }
  });

  it('change without a restart; a changed variable restarts the parts that read it', async () => {
    const sums = async (...args: string[]) => {
      const objects = await render('demo', ...args);
      return ['api', 'worker'].map(
        (part) =>
          findObject(objects, 'Deployment', `demo-lastframe-${part}`).spec.template.metadata
            .annotations['checksum/config'],
      );
    };
    const [api, worker] = await sums();
    expect(await sums('--set', 'slowServer.networks={10.43.0.0/16}')).toEqual([api, worker]);
    expect(await sums('--set', 'config.CONCURRENCY=7')).toEqual([
      api,
      expect.not.stringContaining(worker),
    ]);
    expect(await sums('--set', 'config.COLD_WAIT=7s')).toEqual([
      expect.not.stringContaining(api),
      worker,
    ]);
  });
});

/** Returns a valid value of a variable, as JSON. */
function sample(name: string): string {
  const { fallback, expected } = variables[name as keyof typeof variables];
  if (expected === 'true or false') return fallback ?? 'true';
  if (/^a whole number/.test(expected)) return fallback ?? '1';
  if (/^URL patterns/.test(expected)) return '["https://a.example/*"]';
  if (/^networks/.test(expected)) return '["10.0.0.0/8"]';
  return JSON.stringify(fallback ?? 'x');
}
