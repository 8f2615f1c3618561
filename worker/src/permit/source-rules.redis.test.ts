import type { Source } from '@lastframe/shared/cameras/source';
import { spacingMs } from '@lastframe/shared/cameras/spacing';
import { parseSourcesFile } from '@lastframe/shared/settings/sources-file';
import { expect, inject, it } from 'vitest';
import { testDefaults } from '../../../testing/test-camera.ts';
import { testCamera } from '../test-support/cameras.ts';
import { openBench, type PermitBench } from '../test-support/permit-bench.ts';
import { expectGranted, wordOf } from '../test-support/permit-word.ts';

/** A source as an operator writes it. */
function sourceOf(rules: string): Source {
  const text = `sources: [{ name: budgeted, match: "http://camera.test/*", ${rules} }]\n`;
  const file = { file: 'sources.yaml', env: {}, defaults: testDefaults, readCertificate: () => '' };
  const outcome = parseSourcesFile(text, file);
  const [source] = outcome.outcome === 'read' ? outcome.sources : [];
  if (!source) throw new Error(JSON.stringify(outcome));
  return source;
}

const camerasOf = (source: Source, count: number) =>
  Array.from({ length: count }, () => testCamera(undefined, source));

/** Takes and finishes a permit, as an instant call does. */
async function callOnce({ permits }: PermitBench, camera: ReturnType<typeof testCamera>) {
  const result = await permits.take(camera);
  if (result.outcome === 'granted') {
    await permits.finish(result.permit, { verdict: 'ok', restMs: spacingMs(camera.source) });
  }
  return result;
}

it('two workers together keep to the concurrency of the source in the file', async () => {
  const one = await openBench(inject('redisUrl'));
  const two = await openBench(inject('redisUrl'), { prefix: one.keys.epoch.split(':')[0] ?? '' });
  const source = sourceOf('budget: { concurrency: 3 }');
  const cameras = camerasOf(source, 12);
  const results = await Promise.all(
    cameras.map((camera, n) => (n % 2 ? one : two).permits.take(camera)),
  );
  const words = results.map(wordOf).toSorted();
  expect(words).toEqual([...Array(9).fill('budget'), ...Array(3).fill('granted')]);
  const first = results.find(({ outcome }) => outcome === 'granted');
  if (first) await one.permits.finish(expectGranted(first), { verdict: 'ok', restMs: 1 });
  // The slot is for one of the denied cameras.
  const latecomers = camerasOf(source, 4).map((camera) => two.permits.take(camera));
  expect((await Promise.all(latecomers)).map(wordOf)).toEqual(Array(4).fill('budget'));
  const deniedCameras = cameras.filter((_, n) => results[n]?.outcome === 'denied');
  const next = await Promise.all(deniedCameras.map((camera) => two.permits.take(camera)));
  expect(next.map(wordOf).filter((word) => word === 'granted')).toHaveLength(1);
});

it('with more cameras than calls per second, each camera gets its turn and the rate holds', async () => {
  const bench = await openBench(inject('redisUrl'));
  const source = sourceOf('interval: 100ms, budget: { perSecond: 20 }');
  const cameras = camerasOf(source, 30);
  const grants = new Map<string, number>(cameras.map(({ cameraId }) => [cameraId, 0]));
  const counts = () => [...grants.values()];
  const sum = () => counts().reduce((total, n) => total + n, 0);
  const startMs = performance.now();
  const forMs = () => performance.now() - startMs;
  // The first cameras ask first in every round: without turns they would get every call.
  while ((Math.min(...counts()) < 1 || sum() <= 40) && forMs() < 15_000) {
    for (const camera of cameras) {
      const { outcome } = await callOnce(bench, camera);
      if (outcome === 'granted') {
        grants.set(camera.cameraId, (grants.get(camera.cameraId) ?? 0) + 1);
      }
    }
  }
  expect(sum()).toBeLessThanOrEqual((20 * forMs()) / 1000 + 1);
  expect(sum()).toBeGreaterThan(40);
  expect(Math.min(...counts())).toBeGreaterThanOrEqual(1);
  expect(Math.max(...counts()) - Math.min(...counts())).toBeLessThanOrEqual(1);
});

it('a budget belongs to the name of its source; another source has its own', async () => {
  const bench = await openBench(inject('redisUrl'));
  const source = sourceOf('budget: { perSecond: 1, concurrency: 1 }');
  const other = { ...source, name: 'other' };
  expect(wordOf(await bench.permits.take(testCamera(undefined, source)))).toBe('granted');
  expect(wordOf(await bench.permits.take(testCamera(undefined, source)))).toBe('budget');
  expect(wordOf(await bench.permits.take(testCamera(undefined, other)))).toBe('granted');
  expect(
    await bench.client.exists([bench.keys.calls('budgeted'), bench.keys.rate('budgeted')]),
  ).toBe(2);
});

it('S11: a shorter interval in a new file counts from the next call on, not for the last one', async () => {
  const bench = await openBench(inject('redisUrl'));
  const before = testCamera(undefined, sourceOf('interval: 1h'));
  const after = { ...before, source: sourceOf('interval: 100ms') };
  expect((await callOnce(bench, before)).outcome).toBe('granted');
  const result = await bench.permits.take(after);
  expect(result).toMatchObject({ outcome: 'denied', reason: 'spaced' });
  if (result.outcome === 'denied') expect(result.waitMs).toBeGreaterThan(3_590_000);
});
