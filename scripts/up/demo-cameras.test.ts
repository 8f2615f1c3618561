import { parseSourcesFile } from '@lastframe/shared/settings/sources-file';
import { expect, test } from 'vitest';
import { testSource } from '../../testing/test-camera.ts';
import { demoSourcesFile } from './demo-cameras.ts';

const read = (text: string) =>
  parseSourcesFile(text, {
    file: 'cameras.yaml',
    env: {},
    defaults: testSource(),
    readCertificate: () => '',
  });

test('the demo names cameras of the slow server, wherever that listens', () => {
  const outcome = read(demoSourcesFile(8899));
  expect(outcome).toMatchObject({ outcome: 'read' });
  if (outcome.outcome !== 'read') return;
  expect(outcome.cameras.length).toBeGreaterThanOrEqual(8);
  for (const { camera } of outcome.cameras) {
    expect(camera.url).toMatch(/^http:\/\/localhost:8899\/image\/\w/);
  }
});

test("the camera of the README's first try keeps its own rules", () => {
  const outcome = read(demoSourcesFile(8888));
  if (outcome.outcome !== 'read') throw new Error('the demo file is faulty');
  expect(outcome.sources.some(({ pattern }) => pattern.test('http://localhost:8888/image'))).toBe(
    false,
  );
});
