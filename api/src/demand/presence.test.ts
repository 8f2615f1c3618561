import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { renew } from '../cache/held-frame.ts';
import { heldFrame, testParts } from '../test-support/parts.ts';

const camera = testCamera('a', { intervalMs: 5000 });
const { cameraId } = camera;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('counts each present viewer once', () => {
  const { presence } = testParts();
  const leaveFirst = presence.enter(camera);
  const leaveSecond = presence.enter(camera);
  leaveFirst();
  leaveFirst();
  expect(presence.isPresent(cameraId)).toBe(true);
  leaveSecond();
  expect(presence.isPresent(cameraId)).toBe(false);
  expect(presence.watchedCamera(cameraId)).toBeUndefined();
});

it('does not count a viewer that leaves twice against later ones', () => {
  const { presence } = testParts();
  const leaveFirst = presence.enter(camera);
  leaveFirst();
  presence.enter(camera);
  leaveFirst();
  expect(presence.isPresent(cameraId)).toBe(true);
});

it('counts a camera as watched for two intervals after a request', () => {
  const { presence, memory, clock } = testParts();
  expect(presence.watchedCamera(cameraId)).toBeUndefined();
  memory.set(cameraId, heldFrame(camera, { lastRequestedMonoMs: clock.monoMs() }));
  vi.advanceTimersByTime(9999);
  expect(presence.watchedCamera(cameraId)).toBe(camera);
  expect(presence.isPresent(cameraId)).toBe(false);
  vi.advanceTimersByTime(1);
  expect(presence.watchedCamera(cameraId)).toBeUndefined();
});

it('counts a camera as watched for twice as long as its picture was expected to stay', () => {
  const { presence, memory, clock } = testParts();
  const lasting = testCamera('a', { intervalMs: 5000, maxIntervalMs: 60_000 });
  const frame = { freshForMs: 30_000, lastRequestedMonoMs: clock.monoMs() };
  const held = heldFrame(lasting, frame);
  memory.set(cameraId, held);
  // One request must not keep it watched for ever, however long its picture stays.
  renew(held, { ...held, freshForMs: 60_000 });
  vi.advanceTimersByTime(59_999);
  expect(presence.watchedCamera(cameraId)).toBe(lasting);
  vi.advanceTimersByTime(1);
  expect(presence.watchedCamera(cameraId)).toBeUndefined();
});

it('counts a camera as watched while a viewer is present, for however long', () => {
  const { presence, memory } = testParts();
  const leave = presence.enter(camera);
  memory.set(cameraId, heldFrame(camera));
  vi.advanceTimersByTime(3_600_000);
  expect(presence.watchedCamera(cameraId)).toBe(camera);
  leave();
  expect(presence.watchedCamera(cameraId)).toBeUndefined();
});

it('does not change the order of eviction by checking whether a camera is watched', () => {
  const { presence, memory } = testParts();
  const other = testCamera('b');
  memory.set(cameraId, heldFrame(camera));
  memory.set(other.cameraId, heldFrame(other));
  presence.watchedCamera(cameraId);
  expect([...memory.keys()]).toEqual([other.cameraId, cameraId]);
});
