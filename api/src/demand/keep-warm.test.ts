import { makeRules } from '@lastframe/shared/cameras/rules';
import { expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { testParts } from '../test-support/parts.ts';
import { createKeepWarm } from './keep-warm.ts';

function bench() {
  const { viewers } = testParts();
  const raise = vi.fn();
  return { viewers, raise, keepWarm: createKeepWarm({ viewers, demand: { raise } }) };
}

const named = (name: string, keepWarm: boolean, intervalMs = 5000) => ({
  name,
  title: name,
  keepWarm,
  camera: { ...testCamera(name, { intervalMs }), name },
});

it('watches the cameras to be kept warm, and only those, and asks for a frame of each', () => {
  const { viewers, raise, keepWarm } = bench();
  const [warm, other] = [named('warm', true), named('other', false)];
  keepWarm(makeRules([], [warm, other]));
  expect(viewers.isPresent(warm.camera.cameraId)).toBe(true);
  expect(viewers.isPresent(other.camera.cameraId)).toBe(false);
  expect(raise.mock.calls).toEqual([[warm.camera]]);
});

it('follows the rules: new cameras are watched, changed ones by their new source, others left', () => {
  const { viewers, keepWarm } = bench();
  keepWarm(makeRules([], [named('a', true), named('b', true)]));
  const [changed, added] = [named('b', true, 1000), named('c', true)];
  keepWarm(makeRules([], [named('a', false), changed, added]));
  const present = ['a', 'b', 'c'].map((n) => viewers.watchedCamera(testCamera(n).cameraId));
  expect(present).toEqual([undefined, changed.camera, added.camera]);
});
