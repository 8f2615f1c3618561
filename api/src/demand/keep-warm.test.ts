import { makeRules } from '@lastframe/shared/cameras/rules';
import { expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { testParts } from '../test-support/parts.ts';
import { createKeepWarm } from './keep-warm.ts';

function keepWarmParts() {
  const { presence } = testParts();
  const raise = vi.fn();
  return { presence, raise, keepWarm: createKeepWarm({ presence, demand: { raise } }) };
}

const named = (name: string, keepWarm: boolean, intervalMs = 5000) => ({
  name,
  title: name,
  keepWarm,
  camera: { ...testCamera(name, { intervalMs }), name },
});

it('watches only keepWarm cameras, and requests a frame of each', () => {
  const { presence, raise, keepWarm } = keepWarmParts();
  const [warm, other] = [named('warm', true), named('other', false)];
  keepWarm(makeRules([], [warm, other]));
  expect(presence.isPresent(warm.camera.cameraId)).toBe(true);
  expect(presence.isPresent(other.camera.cameraId)).toBe(false);
  expect(raise.mock.calls).toEqual([[warm.camera]]);
});

it('applies new rules: watches new cameras, updates changed ones, leaves removed ones', () => {
  const { presence, keepWarm } = keepWarmParts();
  keepWarm(makeRules([], [named('a', true), named('b', true)]));
  const [changed, added] = [named('b', true, 1000), named('c', true)];
  keepWarm(makeRules([], [named('a', false), changed, added]));
  const present = ['a', 'b', 'c'].map((n) => presence.watchedCamera(testCamera(n).cameraId));
  expect(present).toEqual([undefined, changed.camera, added.camera]);
});
