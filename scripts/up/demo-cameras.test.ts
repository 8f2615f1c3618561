import { sourcesFromPatterns } from '@lastframe/shared/cameras/source';
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

test("the demo's cameras are on the slow server's port", () => {
  const outcome = read(demoSourcesFile(8899));
  expect(outcome).toMatchObject({ outcome: 'read' });
  if (outcome.outcome !== 'read') return;
  expect(outcome.cameras.length).toBeGreaterThanOrEqual(8);
  for (const { camera } of outcome.cameras) {
    expect(camera.url).toMatch(/^http:\/\/localhost:8899\/image\/\w/);
  }
});

test("the demo's source does not match the camera of the README's first request", () => {
  const outcome = read(demoSourcesFile(8888));
  if (outcome.outcome !== 'read') throw new Error('the demo file is faulty');
  expect(outcome.sources.some(({ pattern }) => pattern.test('http://localhost:8888/image'))).toBe(
    false,
  );
});

test("the user's cameras are on the wall too, if ALLOWED_SOURCES has their whole URLs", () => {
  const allowed =
    'http://cam.test,http://cam.test/$ID.jpg,http://cam.test/n1.jpg?size=s,http://cam.test/*';
  const outcome = parseSourcesFile(demoSourcesFile(8888, allowed), {
    file: 'cameras.yaml',
    env: {},
    defaults: testSource(),
    furtherSources: sourcesFromPatterns(allowed.split(','), testSource()),
    readCertificate: () => '',
  });
  if (outcome.outcome !== 'read') throw new Error(outcome.faults.join());
  const [own, second] = outcome.cameras;
  expect(own).toMatchObject({ name: 'your-camera-1', title: 'cam.test/n1.jpg?size=s' });
  expect(own?.camera.url).toBe('http://cam.test/n1.jpg?size=s');
  expect(second?.name).toBe('north-runway');
});
