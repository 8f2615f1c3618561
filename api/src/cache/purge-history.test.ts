import type { Purge } from '@lastframe/shared/frames/purge';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { heldFrame, testParts } from '../test-support/parts.ts';
import { isFresh } from './held-frame.ts';
import { createPurgeHistory } from './purge-history.ts';

const camera = testCamera('a');
const { cameraId } = camera;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function purgesParts() {
  const { clock, memory, log } = testParts();
  const read = vi.fn<() => Promise<Purge[]>>(async () => []);
  const onHardPurge = vi.fn();
  const purges = createPurgeHistory({ clock, memory, read, log });
  purges.onHardPurge(onHardPurge);
  const held = heldFrame(camera, { startedAgoMs: 1000 });
  memory.set(cameraId, held);
  const purge = (mode: Purge['mode'], purgedAtMs: number) => ({ cameraId, mode, purgedAtMs });
  const isHeldFresh = () => isFresh(held, clock.monoMs());
  return { clock, memory, read, onHardPurge, purges, held, purge, isHeldFresh };
}

it('a hard purge drops the frame of a call that began before it', () => {
  const { memory, purges, held, purge } = purgesParts();
  purges.apply(purge('hard', held.startedAtMs));
  expect(memory.peek(cameraId)).toBeUndefined();
  expect(purges.verdictFor(held)).toBe('gone');
  expect(purges.verdictFor({ cameraId, startedAtMs: held.startedAtMs + 1 })).toBe('good');
  expect(purges.verdictFor({ ...held, cameraId: testCamera('b').cameraId })).toBe('good');
});

it('a soft purge keeps it, as one that is stale and no older than it is', () => {
  const { clock, memory, purges, held, purge, isHeldFresh } = purgesParts();
  expect(isHeldFresh()).toBe(true);
  purges.apply(purge('soft', held.startedAtMs));
  expect(isHeldFresh()).toBe(false);
  expect(memory.peek(cameraId)).toBe(held);
  expect(held.capturedMonoMs).toBe(clock.monoMs() - 1000);
});

it('who shows the camera is told of a hard purge, also where memory has no frame', () => {
  const { memory, onHardPurge, purges, held, purge } = purgesParts();
  memory.clear();
  purges.apply(purge('soft', held.startedAtMs));
  expect(onHardPurge).not.toHaveBeenCalled();
  purges.apply(purge('hard', held.startedAtMs));
  expect(onHardPurge).toHaveBeenCalledExactlyOnceWith(cameraId);
});

it('a purge says nothing about frames of later calls', () => {
  const { memory, purges, held, purge, isHeldFresh } = purgesParts();
  purges.apply(purge('hard', held.startedAtMs - 1));
  purges.apply(purge('soft', held.startedAtMs - 1));
  expect(memory.peek(cameraId)).toBe(held);
  expect(isHeldFresh()).toBe(true);
});

it('a soft purge lifts no hard one, in whatever order they come', () => {
  for (const modes of [['soft', 'hard'] as const, ['hard', 'soft'] as const]) {
    const { memory, purges, held, purge } = purgesParts();
    for (const mode of modes) purges.apply(purge(mode, held.startedAtMs));
    expect(memory.peek(cameraId)).toBeUndefined();
    expect(purges.verdictFor(held)).toBe('gone');
  }
});

it('an old purge that is heard of again leaves alone what was renewed since', () => {
  const { clock, purges, held, purge, isHeldFresh } = purgesParts();
  purges.apply(purge('soft', held.startedAtMs));
  Object.assign(held, { startedMonoMs: clock.monoMs() });
  purges.apply(purge('soft', held.startedAtMs));
  expect(isHeldFresh()).toBe(true);
});

it('purges that could not be heard are read once there was a gap, until that worked', async () => {
  const { memory, read, purges, held, purge } = purgesParts();
  await purges.catchUp();
  expect(read).not.toHaveBeenCalled();
  purges.onMissedAnnouncements();
  read.mockRejectedValueOnce(new Error('Redis is away'));
  await purges.catchUp();
  expect(memory.size).toBe(1);
  read.mockResolvedValueOnce([purge('hard', held.startedAtMs)]);
  await purges.catchUp();
  expect(memory.size).toBe(0);
  await purges.catchUp();
  expect(read).toHaveBeenCalledTimes(2);
});

it('a gap during the read of the list has it read again', async () => {
  const { read, purges } = purgesParts();
  purges.onMissedAnnouncements();
  const { promise, resolve } = Promise.withResolvers<Purge[]>();
  read.mockReturnValueOnce(promise);
  const reading = purges.catchUp();
  purges.onMissedAnnouncements();
  await purges.catchUp(); // one at a time
  expect(read).toHaveBeenCalledOnce();
  resolve([]);
  await reading;
  await purges.catchUp();
  expect(read).toHaveBeenCalledTimes(2);
});

it('a purge from before the clock was set back hides no new frame', () => {
  const { purges, held, purge } = purgesParts();
  const { startedAtMs } = held;
  purges.apply(purge('hard', startedAtMs + 3_600_000));
  purges.apply(purge('soft', startedAtMs + 3_600_000));
  expect(purges.verdictFor(held, startedAtMs + 1000)).toBe('good');
  expect(purges.verdictFor(held, startedAtMs + 3_600_000)).toBe('gone');
});
