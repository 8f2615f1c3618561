import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { metricDefinitions } from '@lastframe/shared/telemetry/metric-definitions';
import { expect, it } from 'vitest';
import { findObject, render, VALUES } from './helm.ts';
import { podsOf } from './pods.ts';

const REPO = resolve(import.meta.dirname, '../..');

it.each(VALUES)('every pod of the %s values is restricted', async (values) => {
  const pods = podsOf(await render(values));
  expect(pods.length).toBeGreaterThan(2);
  for (const { spec } of pods) {
    expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(spec.securityContext.runAsUser).toBeGreaterThan(0);
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) expect(spec).not.toHaveProperty(key);
    for (const volume of spec.volumes ?? []) expect(volume).not.toHaveProperty('hostPath');
    for (const container of spec.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toMatchObject({
        requests: { cpu: expect.anything(), memory: expect.anything() },
        limits: { memory: expect.anything() },
      });
    }
  }
});

it.each(['api', 'worker'])('%s is probed on its ops port', async (part) => {
  const [pod] = podsOf(await render('default')).filter(({ component }) => component === part);
  const [container] = pod?.spec.containers ?? [];
  expect(container.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'ops' });
  expect(container.startupProbe.httpGet).toEqual({ path: '/livez', port: 'ops' });
  expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'ops' });
  const ops = part === 'api' ? 9088 : 9089;
  expect(container.ports).toContainEqual({ name: 'ops', containerPort: ops });
});

it.each(['api', 'worker'])('%s has time to end: more than its closing steps take', async (part) => {
  const [pod] = podsOf(await render('default')).filter(({ component }) => component === part);
  const preStopS = pod?.spec.containers[0].lifecycle?.preStop.sleep.seconds ?? 0;
  const files = [`${part}/src/main.ts`, 'shared/src/startup/start-process.ts'];
  const steps = closingTimesMs(
    files.map((file) => readFileSync(join(REPO, file), 'utf8')).join('\n'),
  );
  expect(steps).toHaveLength(4);
  const drainMs = steps.reduce((sum, ms) => sum + ms, 0);
  // The chart's check of the values relies on this.
  expect(drainMs).toBeLessThanOrEqual(13_000);
  expect(pod?.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(preStopS * 1000 + drainMs);
});

it('api and worker are spread over nodes and evicted one pod at a time', async () => {
  const objects = await render('default');
  for (const part of ['api', 'worker']) {
    const name = `demo-lastframe-${part}`;
    const { spec } = findObject(objects, 'Deployment', name);
    const [constraint] = spec.template.spec.topologySpreadConstraints;
    expect(constraint.topologyKey).toBe('kubernetes.io/hostname');
    expect(constraint.labelSelector).toEqual(spec.selector);
    expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    const budget = findObject(objects, 'PodDisruptionBudget', name).spec;
    expect(budget).toMatchObject({ maxUnavailable: 1, selector: spec.selector });
  }
});

it('with an autoscaler, the chart sets no replicas', async () => {
  const objects = await render('production');
  expect(findObject(objects, 'Deployment', 'demo-lastframe-api').spec).not.toHaveProperty(
    'replicas',
  );
  expect(findObject(objects, 'Deployment', 'demo-lastframe-worker').spec).not.toHaveProperty(
    'replicas',
  );
  const cpu = await render('default', '--set', 'worker.autoscaling.enabled=true');
  const { scaleTargetRef } = findObject(
    cpu,
    'HorizontalPodAutoscaler',
    'demo-lastframe-worker',
  ).spec;
  expect(scaleTargetRef).toMatchObject({ kind: 'Deployment', name: 'demo-lastframe-worker' });
  expect(findObject(cpu, 'Deployment', 'demo-lastframe-worker').spec).not.toHaveProperty(
    'replicas',
  );
});

it('KEDA scales workers by CPU and by how long due cameras wait', async () => {
  const objects = await render('default', '--set', 'worker.keda.enabled=true');
  const { triggers } = findObject(objects, 'ScaledObject', 'demo-lastframe-worker').spec;
  expect(triggers).toEqual([
    { type: 'cpu', metricType: 'Utilization', metadata: { value: '70' } },
    {
      type: 'metrics-api',
      metricType: 'Value',
      metadata: {
        url: 'http://demo-lastframe-api-ops.default.svc:9088/metrics',
        format: 'prometheus',
        valueLocation: 'lastframe_behind_seconds',
        targetValue: '5',
      },
    },
  ]);
  const { spec } = findObject(objects, 'Service', 'demo-lastframe-api-ops');
  expect(spec.ports).toContainEqual({ name: 'ops', port: 9088, targetPort: 'ops' });
  expect(metricDefinitions).toHaveProperty('lastframe_behind_seconds');
});

it('the bundled Redis persists its data and evicts nothing', async () => {
  const objects = await render('default');
  const conf = findObject(objects, 'ConfigMap', 'demo-lastframe-redis').data['redis.conf'];
  expect(conf).toMatch(/^maxmemory-policy noeviction$/m);
  expect(conf).toMatch(/^appendonly yes$/m);
  expect(conf).toMatch(/^maxmemory 512mb$/m);
  const { spec } = findObject(objects, 'StatefulSet', 'demo-lastframe-redis');
  expect(spec.replicas).toBe(1);
  expect(spec.volumeClaimTemplates[0].metadata.name).toBe('data');
});

it('every Service targets a port of a pod', async () => {
  const objects = await render('demo');
  const pods = podsOf(objects);
  const services = objects.filter(({ kind }) => kind === 'Service');
  expect(services.map(({ metadata }) => metadata.name)).toContain('image-server');
  for (const { metadata, spec } of services) {
    const selected = pods.filter(({ labels }) =>
      Object.entries(spec.selector).every(([key, value]) => labels[key] === value),
    );
    expect(selected, metadata.name).toHaveLength(1);
    const ports = selected[0]?.spec.containers[0].ports.map(({ name }: { name: string }) => name);
    for (const { targetPort } of spec.ports) expect(ports).toContain(targetPort);
  }
});

it('the public Service does not expose the ops port', async () => {
  const { spec } = findObject(await render('demo'), 'Service', 'demo-lastframe-api');
  expect(spec.type).toBe('LoadBalancer');
  expect(spec.ports).toEqual([{ name: 'http', port: 8088, targetPort: 'http' }]);
});

it('`helm test` requests an image if there is a camera, else the OpenAPI document', async () => {
  const urlOf = async (...args: Parameters<typeof render>) => {
    const test = findObject(await render(...args), 'Pod', 'demo-lastframe-test');
    expect(test.metadata.annotations?.['helm.sh/hook']).toBe('test');
    expect(test.spec.containers[0].command).toEqual(['node', 'image/get-image.ts']);
    return test.spec.containers[0].args[0];
  };
  const camera = encodeURIComponent('http://image-server:8888/image');
  expect(await urlOf('demo')).toBe(`http://demo-lastframe-api:8088/images?url=${camera}`);
  expect(await urlOf('default')).toBe('http://demo-lastframe-api:8088/openapi.json');
  expect(await urlOf('production')).toMatch(/8088\/cams\/images\?url=https%3A%2F%2Fcams/);
});

/** Returns the grace periods of the closing steps in a main.ts, with its constants filled in. */
function closingTimesMs(source: string): number[] {
  const constants = new Map(
    [...source.matchAll(/^const ([A-Z_]+) = ([\d_]+);/gm)].map(([, name = '', value = '']) => [
      name,
      Number(value.replaceAll('_', '')),
    ]),
  );
  return [...source.matchAll(/\bgraceMs: ([A-Z_\d+ ]+),/g)].map(([, sum = '']) =>
    sum.split('+').reduce((total, word) => total + (constants.get(word.trim()) ?? Number(word)), 0),
  );
}
