import { expect, it } from 'vitest';
import { findObject, helm, type KubeObject, render, valuesOf } from './helm.ts';

const selectorOf = (component: string) => ({
  'app.kubernetes.io/name': 'lastframe',
  'app.kubernetes.io/instance': 'demo',
  'app.kubernetes.io/component': component,
});

/** Written out, because a change to any of them makes existing releases impossible to upgrade. */
it('names and selectors are the same as in every earlier version', async () => {
  const objects = await render('demo');
  const immutable = objects
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    .map(({ kind, metadata, spec }) => [kind, metadata.name, spec.selector.matchLabels]);
  expect(immutable).toEqual(
    expect.arrayContaining([
      ['Deployment', 'demo-lastframe-api', selectorOf('api')],
      ['Deployment', 'demo-lastframe-worker', selectorOf('worker')],
      ['Deployment', 'demo-lastframe-slow-server', selectorOf('slow-server')],
      ['StatefulSet', 'demo-lastframe-redis', selectorOf('redis')],
    ]),
  );
  expect(immutable).toHaveLength(4);
});

it('the StatefulSet changes only in what Kubernetes allows to change', async () => {
  const spec = (objects: readonly KubeObject[]) =>
    findObject(objects, 'StatefulSet', 'demo-lastframe-redis').spec;
  const before = spec(await render('default'));
  expect(before.serviceName).toBe('demo-lastframe-redis');
  expect(before.volumeClaimTemplates).toEqual([
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '4Gi' } } },
    },
  ]);
  const changes = ['redis.maxMemory=256mb', 'commonLabels.team=cameras', 'image.tag=2.0.0'];
  const after = spec(await render('default', ...changes.flatMap((change) => ['--set', change])));
  const changeable = ['template', 'replicas', 'updateStrategy', 'minReadySeconds', 'ordinals'];
  const fixed = (of: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(of).filter(([key]) => !changeable.includes(key)));
  expect(fixed(after)).toEqual(fixed(before));
  expect(after.template).not.toEqual(before.template);
});

it('a new version does not restart Redis, which would hold off the whole fleet', async () => {
  const pod = (objects: readonly KubeObject[]) =>
    findObject(objects, 'StatefulSet', 'demo-lastframe-redis').spec.template;
  const before = pod(await render('default'));
  expect(before.metadata.labels).toEqual(selectorOf('redis'));
  expect(pod(await render('default', '--set', 'image.tag=2.0.0'))).toEqual(before);
});

it('a new version of the image changes no selector and no Service', async () => {
  const fixed = (objects: readonly KubeObject[]) =>
    objects
      .filter(({ spec }) => spec?.selector)
      .map(({ kind, metadata, spec }) => [kind, metadata.name, spec.selector]);
  expect(fixed(await render('demo', '--set', 'image.tag=2.0.0'))).toEqual(
    fixed(await render('demo')),
  );
});

it('rendering is deterministic, so that nothing restarts without a reason', async () => {
  const args = ['template', 'demo', '.', ...valuesOf('production')];
  expect(await helm(...args)).toBe(await helm(...args));
});

it('long names stay within the limit of Kubernetes', async () => {
  const objects = await render('default', '--set', `fullnameOverride=${'x'.repeat(60)}`);
  for (const { metadata } of objects) expect(metadata.name.length).toBeLessThanOrEqual(63);
});
