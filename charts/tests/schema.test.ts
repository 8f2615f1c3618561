import { expect, it } from 'vitest';
import { findObject, helm, render, VALUES, valuesOf } from './helm.ts';
import { schemaFaults } from './kube-schema.ts';

it.each(VALUES)('helm lint finds no problem in the chart with the %s values', async (name) => {
  const output = await helm('lint', '--strict', ...valuesOf(name), '.');
  expect(output).toContain('0 chart(s) failed');
  expect(output).not.toMatch(/\[(WARNING|ERROR)\]/);
});

it.each(VALUES)('every object of the %s values matches its schema', async (name) => {
  const objects = await render(name);
  expect(objects.length).toBeGreaterThan(10);
  const faults = objects.flatMap((object) =>
    schemaFaults(object).map((fault) => `${object.kind} ${object.metadata.name}: ${fault}`),
  );
  expect(faults).toEqual([]);
});

it('the schemas detect a wrong type, an unknown key and an unknown kind', async () => {
  const api = findObject(await render('default'), 'Deployment', 'demo-lastframe-api');
  expect(schemaFaults({ ...api, spec: { ...api.spec, replicas: 'three' } })[0]).toMatch(/replicas/);
  const [container] = api.spec.template.spec.containers;
  container.livenessProbe.httpGet.prot = 1;
  container.imagePolicy = 'Never';
  expect(schemaFaults(api).toSorted()).toEqual([
    '.spec.template.spec.containers.0.imagePolicy is unknown',
    '.spec.template.spec.containers.0.livenessProbe.httpGet.prot is unknown',
  ]);
  expect(schemaFaults({ ...api, kind: 'Deployement' })[0]).toMatch(/has no schema/);
});
