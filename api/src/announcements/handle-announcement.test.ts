import type { Announcement } from '@lastframe/shared/messages/announcement';
import { expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { catchUncaught } from '../../../testing/test-uncaught.ts';
import { heldFrame, testParts } from '../test-support/parts.ts';
import { handleAnnouncement } from './handle-announcement.ts';

const camera = testCamera('a');
const { cameraId } = camera;

function newsParts() {
  const parts = testParts();
  const demand = {
    raise: vi.fn(),
    onAnnouncement: vi.fn(),
    recheck: vi.fn(),
    announcedWaitMs: () => 0,
    refusal: () => undefined,
    close: vi.fn(),
  };
  const coldWait = {
    wait: vi.fn(),
    waitForNext: vi.fn(),
    wake: vi.fn(),
    onAnnouncement: vi.fn(),
    waiting: () => 0,
    close: vi.fn(),
  };
  const deps = { ...parts, demand, coldWait };
  return { ...deps, heed: (news: Announcement) => handleAnnouncement(news, deps) };
}

function frameNews(kind: 'frame' | 'unchanged', etag = '"new"'): Announcement {
  return { v: 1, kind, cameraId, etag, startedAgoMs: 900, capturedAgoMs: 100, nextMs: 4100 };
}

const others = [
  { v: 1, kind: 'started', cameraId },
  { v: 1, kind: 'failure', cameraId, status: 502, reason: 'x', nextMs: 1 },
  { v: 1, kind: 'wait', cameraId, reason: 'hold', inMs: 1 },
] as const;

it.each([...others, frameNews('frame'), frameNews('unchanged')])(
  'a $kind is told to the demand',
  (news) => {
    const { demand, heed } = newsParts();
    heed(news);
    expect(demand.onAnnouncement).toHaveBeenCalledExactlyOnceWith(news);
  },
);

it.each(others)('a $kind is told to who waits, and the store is not read', (news) => {
  const { coldWait, reader, heed } = newsParts();
  heed(news);
  expect(coldWait.onAnnouncement).toHaveBeenCalledExactlyOnceWith(news);
  expect(reader.readAnew).not.toHaveBeenCalled();
});

it('a frame of a camera that somebody watches is read anew, once', async () => {
  const { viewers, stored, reader, coldWait, heed } = newsParts();
  viewers.enter(camera);
  stored.held = heldFrame(camera);
  heed(frameNews('frame'));
  expect(reader.readAnew).toHaveBeenCalledExactlyOnceWith(camera);
  expect(coldWait.onAnnouncement).not.toHaveBeenCalled();
});

it('a frame that nobody watches is not read; what memory has of the camera is unsure then', () => {
  const { memory, reader, heed } = newsParts();
  const held = heldFrame(camera);
  memory.set(cameraId, held);
  heed(frameNews('frame'));
  expect(reader.readAnew).not.toHaveBeenCalled();
  expect(held.mayBeOutdated).toBe(true);
});

it('a frame that could not be read leaves memory unsure, and harms nobody', async () => {
  const { memory, clock, reader, coldWait, heed } = newsParts();
  const held = heldFrame(camera, { lastAskedMonoMs: clock.monoMs() });
  memory.set(cameraId, held);
  reader.readAnew.mockRejectedValue(new Error('away'));
  heed(frameNews('frame'));
  await expect.poll(() => held.mayBeOutdated).toBe(true);
  expect(coldWait.wake).not.toHaveBeenCalled();
});

it('the same bytes again make the frame in memory younger, without a read', () => {
  const { memory, clock, reader, heed } = newsParts();
  const held = heldFrame(camera, { startedAgoMs: 9000, capturedAgoMs: 8000 });
  memory.set(cameraId, held);
  const before = clock.monoMs();
  heed(frameNews('unchanged', held.etag));
  expect(held.startedMonoMs).toBeGreaterThanOrEqual(before - 900);
  expect(held.capturedMonoMs).toBeGreaterThanOrEqual(before - 100);
  expect(held.capturedMonoMs).toBeLessThanOrEqual(clock.monoMs());
  expect(reader.readAnew).not.toHaveBeenCalled();
});

it('the same bytes again go by the rules of now, where somebody watches', () => {
  const { memory, viewers, heed } = newsParts();
  const held = heldFrame(camera);
  memory.set(cameraId, held);
  const sooner = testCamera('a', { intervalMs: 100 });
  viewers.enter(sooner);
  heed(frameNews('unchanged', held.etag));
  expect(held.camera).toBe(sooner);
});

it('the same bytes again do not make fresh what was purged during their call', () => {
  const { memory, clock, purges, heed } = newsParts();
  const held = heldFrame(camera, { startedAgoMs: 9000 });
  memory.set(cameraId, held);
  const startedAtMs = held.startedAtMs + 8000;
  purges.apply({ cameraId, mode: 'soft', purgedAtMs: startedAtMs + 500 });
  const facts = { startedAtMs, capturedAtMs: startedAtMs + 800 };
  heed({ ...frameNews('unchanged', held.etag), facts } as Announcement);
  const { intervalMs } = camera.source;
  expect(clock.monoMs() - held.startedMonoMs).toBeGreaterThanOrEqual(intervalMs);
  expect(held.startedAtMs).toBe(startedAtMs);
});

it('the same bytes again, told late, do not make the frame in memory older', () => {
  const { memory, heed } = newsParts();
  const held = heldFrame(camera, { startedAgoMs: 0 });
  const { startedMonoMs, capturedMonoMs } = held;
  memory.set(cameraId, held);
  heed({ ...frameNews('unchanged', held.etag), startedAgoMs: 9000, capturedAgoMs: 9000 } as never);
  expect(held).toMatchObject({ startedMonoMs, capturedMonoMs });
});

it.each([
  ['has other bytes', true],
  ['has nothing', false],
])('the same bytes again are read when memory %s and somebody watches', async (_, has) => {
  const { memory, viewers, stored, reader, heed } = newsParts();
  viewers.enter(camera);
  if (has) memory.set(cameraId, heldFrame(camera, { etag: '"older"' }));
  stored.held = heldFrame(camera);
  heed(frameNews('unchanged'));
  expect(reader.readAnew).toHaveBeenCalledExactlyOnceWith(camera);
});

it('the same bytes again make other bytes in memory unsure when nobody watches', () => {
  const { memory, reader, heed } = newsParts();
  const held = heldFrame(camera, { etag: '"older"' });
  memory.set(cameraId, held);
  heed(frameNews('unchanged'));
  expect(held.mayBeOutdated).toBe(true);
  expect(reader.readAnew).not.toHaveBeenCalled();
});

it('a purge is told to what judges frames, and to nobody who waits', () => {
  const { memory, coldWait, heed } = newsParts();
  const held = heldFrame(camera);
  memory.set(cameraId, held);
  heed({ v: 1, kind: 'purge', cameraId, mode: 'hard', purgedAtMs: held.startedAtMs });
  expect(memory.peek(cameraId)).toBeUndefined();
  expect(coldWait.onAnnouncement).not.toHaveBeenCalled();
});

it('a part that throws keeps none of the others from hearing an announcement', async () => {
  const uncaught = catchUncaught();
  const { demand, coldWait, heed } = newsParts();
  coldWait.onAnnouncement.mockImplementationOnce(() => {
    throw new Error('broken');
  });
  heed(others[1]);
  expect(demand.onAnnouncement).toHaveBeenCalledOnce();
  await vi.waitFor(() => expect(uncaught).toEqual([new Error('broken')]));
});
