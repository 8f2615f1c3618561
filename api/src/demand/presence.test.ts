import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { heldFrame, testParts } from '../test-support/parts.ts';

const camera = testCamera('a', { intervalMs: 5000 });
const { cameraId } = camera;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('counts who is present, and each of them once', () => {
  const { viewers } = testParts();
  const leaveFirst = viewers.enter(camera);
  const leaveSecond = viewers.enter(camera);
  leaveFirst();
  leaveFirst();
  expect(viewers.isPresent(cameraId)).toBe(true);
  leaveSecond();
  expect(viewers.isPresent(cameraId)).toBe(false);
  expect(viewers.watchedCamera(cameraId)).toBeUndefined();
});

it('does not count one who leaves late against those who came since', () => {
  const { viewers } = testParts();
  const leaveFirst = viewers.enter(camera);
  leaveFirst();
  viewers.enter(camera);
  leaveFirst();
  expect(viewers.isPresent(cameraId)).toBe(true);
});

it('calls a camera watched for two intervals after a request', () => {
  const { viewers, memory, clock } = testParts();
  expect(viewers.watchedCamera(cameraId)).toBeUndefined();
  memory.set(cameraId, heldFrame(camera, { lastAskedMonoMs: clock.monoMs() }));
  vi.advanceTimersByTime(9999);
  expect(viewers.watchedCamera(cameraId)).toBe(camera);
  expect(viewers.isPresent(cameraId)).toBe(false);
  vi.advanceTimersByTime(1);
  expect(viewers.watchedCamera(cameraId)).toBeUndefined();
});

it('calls a camera watched while somebody is present, however long ago he came', () => {
  const { viewers, memory } = testParts();
  const leave = viewers.enter(camera);
  memory.set(cameraId, heldFrame(camera));
  vi.advanceTimersByTime(3_600_000);
  expect(viewers.watchedCamera(cameraId)).toBe(camera);
  leave();
  expect(viewers.watchedCamera(cameraId)).toBeUndefined();
});

it('leaves a camera where it was in the memory when it only looks whether it is watched', () => {
  const { viewers, memory } = testParts();
  const other = testCamera('b');
  memory.set(cameraId, heldFrame(camera));
  memory.set(other.cameraId, heldFrame(other));
  viewers.watchedCamera(cameraId);
  expect([...memory.keys()]).toEqual([other.cameraId, cameraId]);
});
