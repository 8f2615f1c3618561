import { expect, it } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { findCameraByName, findCameraByUrl, makeRules } from './rules.ts';

const camera = { ...testCamera('secret'), name: 'gate' };
const named = { name: 'gate', title: 'Gate', keepWarm: false, camera };
const rules = makeRules([camera.source], [named, { ...named, name: 'again' }]);

it('a named camera is found by its name and by its URL', () => {
  expect(findCameraByName('gate', rules)).toBe(camera);
  expect(findCameraByUrl('http://cam.test/secret.jpg', rules)).toBe(camera);
});

it('any other URL is an unnamed camera', () => {
  expect(findCameraByUrl('http://cam.test/a.jpg', rules).name).toBeUndefined();
});

it.each(['other', '', '__proto__', 'constructor'])('the unknown name %j fails with 404', (name) => {
  expect(() => findCameraByName(name, rules)).toThrow(
    expect.objectContaining({ problem: expect.objectContaining({ status: 404 }) }),
  );
});
