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

function purgeParts() {
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
  const { memory, purges, held, purge } = purgeParts();
  purges.apply(purge('hard', held.startedAtMs));
  expect(memory.peek(cameraId)).toBeUndefined();
  expect(purges.verdictFor(held)).toBe('gone');
  expect(purges.verdictFor({ cameraId, startedAtMs: held.startedAtMs + 1 })).toBe('good');
  expect(purges.verdictFor({ ...held, cameraId: testCamera('b').cameraId })).toBe('good');
});

it('a soft purge keeps the frame as stale, and does not change its age', () => {
  const { clock, memory, purges, held, purge, isHeldFresh } = purgeParts();
  expect(isHeldFresh()).toBe(true);
  purges.apply(purge('soft', held.startedAtMs));
  expect(isHeldFresh()).toBe(false);
  expect(memory.peek(cameraId)).toBe(held);
  expect(held.capturedMonoMs).toBe(clock.monoMs() - 1000);
});

it('calls listeners on a hard purge, even without a frame in memory', () => {
  const { memory, onHardPurge, purges, held, purge } = purgeParts();
  memory.clear();
  purges.apply(purge('soft', held.startedAtMs));
  expect(onHardPurge).not.toHaveBeenCalled();
  purges.apply(purge('hard', held.startedAtMs));
  expect(onHardPurge).toHaveBeenCalledExactlyOnceWith(cameraId);
});

it('a purge does not affect frames of later calls', () => {
  const { memory, purges, held, purge, isHeldFresh } = purgeParts();
  purges.apply(purge('hard', held.startedAtMs - 1));
  purges.apply(purge('soft', held.startedAtMs - 1));
  expect(memory.peek(cameraId)).toBe(held);
  expect(isHeldFresh()).toBe(true);
});

it('a soft purge does not undo a hard one, in either order', () => {
  for (const modes of [['soft', 'hard'] as const, ['hard', 'soft'] as const]) {
    const { memory, purges, held, purge } = purgeParts();
    for (const mode of modes) purges.apply(purge(mode, held.startedAtMs));
    expect(memory.peek(cameraId)).toBeUndefined();
    expect(purges.verdictFor(held)).toBe('gone');
  }
});

it('a repeated purge does not affect a frame that was renewed since', () => {
  const { clock, purges, held, purge, isHeldFresh } = purgeParts();
  purges.apply(purge('soft', held.startedAtMs));
  Object.assign(held, { startedMonoMs: clock.monoMs() });
  purges.apply(purge('soft', held.startedAtMs));
  expect(isHeldFresh()).toBe(true);
});

it('reads missed purges after a gap, and retries until that succeeds', async () => {
  const { memory, read, purges, held, purge } = purgeParts();
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

it('reads the list again after a gap during the read', async () => {
  const { read, purges } = purgeParts();
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

it('a purge from before the clock was set back does not hide new frames', () => {
  const { purges, held, purge } = purgeParts();
  const { startedAtMs } = held;
  purges.apply(purge('hard', startedAtMs + 3_600_000));
  purges.apply(purge('soft', startedAtMs + 3_600_000));
  expect(purges.verdictFor(held, startedAtMs + 1000)).toBe('good');
  expect(purges.verdictFor(held, startedAtMs + 3_600_000)).toBe('gone');
});
