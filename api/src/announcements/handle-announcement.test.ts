import type { Announcement } from '@lastframe/shared/messages/announcement';
import { expect, it, vi } from 'vitest';
import { catchUncaught } from '../../../testing/checks/test-uncaught.ts';
import { testCamera } from '../../../testing/test-camera.ts';
import { heldFrame, testDemand, testParts } from '../test-support/parts.ts';
import { handleAnnouncement } from './handle-announcement.ts';

const camera = testCamera('a');
const { cameraId } = camera;

function announcementParts() {
  const parts = testParts();
  const demand = testDemand();
  const waiters = {
    wait: vi.fn(),
    waitForNext: vi.fn(),
    wake: vi.fn(),
    onAnnouncement: vi.fn(),
    waiting: () => 0,
    close: vi.fn(),
  };
  const cameraFeed = { onAnnouncement: vi.fn() };
  const deps = { ...parts, demand, waiters, cameraFeed };
  return { ...deps, handle: (one: Announcement) => handleAnnouncement(one, deps) };
}

function frameAnnouncement(kind: 'frame' | 'unchanged', etag = '"new"'): Announcement {
  return { v: 1, kind, cameraId, etag, startedAgoMs: 900, capturedAgoMs: 100, nextMs: 4100 };
}

const others = [
  { v: 1, kind: 'started', cameraId },
  { v: 1, kind: 'failure', cameraId, status: 502, reason: 'x', nextMs: 1 },
  { v: 1, kind: 'wait', cameraId, reason: 'hold', inMs: 1 },
] as const;

it.each([...others, frameAnnouncement('frame'), frameAnnouncement('unchanged')])(
  'passes a $kind announcement to demand',
  (announcement) => {
    const { demand, handle } = announcementParts();
    handle(announcement);
    expect(demand.onAnnouncement).toHaveBeenCalledExactlyOnceWith(announcement);
  },
);

it.each(others)('passes a $kind announcement to the waiters, without a read', (announcement) => {
  const { waiters, reader, handle } = announcementParts();
  handle(announcement);
  expect(waiters.onAnnouncement).toHaveBeenCalledExactlyOnceWith(announcement);
  expect(reader.readFromNow).not.toHaveBeenCalled();
});

it('reads the new frame of a watched camera, once', async () => {
  const { presence, stored, reader, waiters, handle } = announcementParts();
  presence.enter(camera);
  stored.held = heldFrame(camera);
  handle(frameAnnouncement('frame'));
  expect(reader.readFromNow).toHaveBeenCalledExactlyOnceWith(camera);
  expect(waiters.onAnnouncement).not.toHaveBeenCalled();
});

it('does not read the frame of an unwatched camera, and marks the one in memory outdated', () => {
  const { memory, reader, handle } = announcementParts();
  const held = heldFrame(camera);
  memory.set(cameraId, held);
  handle(frameAnnouncement('frame'));
  expect(reader.readFromNow).not.toHaveBeenCalled();
  expect(held.mayBeOutdated).toBe(true);
});

it('marks the frame in memory outdated when the read fails, and wakes no waiter', async () => {
  const { memory, clock, reader, waiters, handle } = announcementParts();
  const held = heldFrame(camera, { lastRequestedMonoMs: clock.monoMs() });
  memory.set(cameraId, held);
  reader.readFromNow.mockRejectedValue(new Error('away'));
  handle(frameAnnouncement('frame'));
  await expect.poll(() => held.mayBeOutdated).toBe(true);
  expect(waiters.wake).not.toHaveBeenCalled();
});

it('renews the frame in memory on unchanged bytes, without a read', () => {
  const { memory, clock, reader, handle } = announcementParts();
  const held = heldFrame(camera, { startedAgoMs: 9000, capturedAgoMs: 8000 });
  memory.set(cameraId, held);
  const before = clock.monoMs();
  handle(frameAnnouncement('unchanged', held.etag));
  expect(held.startedMonoMs).toBeGreaterThanOrEqual(before - 900);
  expect(held.capturedMonoMs).toBeGreaterThanOrEqual(before - 100);
  expect(held.capturedMonoMs).toBeLessThanOrEqual(clock.monoMs());
  expect(reader.readFromNow).not.toHaveBeenCalled();
});

it('applies the current rules to unchanged bytes of a watched camera', () => {
  const { memory, presence, handle } = announcementParts();
  const held = heldFrame(camera);
  memory.set(cameraId, held);
  const sooner = testCamera('a', { intervalMs: 100 });
  presence.enter(sooner);
  handle(frameAnnouncement('unchanged', held.etag));
  expect(held.camera).toBe(sooner);
});

it('keeps a confirmed picture fresh for as long as its worker decided', () => {
  const { memory, handle } = announcementParts();
  const held = heldFrame(camera, { startedAgoMs: 9000, freshForMs: 8000 });
  memory.set(cameraId, held);
  const announce = (afterMs: number, freshForMs?: number) => {
    const startedAtMs = held.startedAtMs + afterMs;
    const facts = { startedAtMs, capturedAtMs: startedAtMs };
    const announcement = { ...frameAnnouncement('unchanged', held.etag), facts, freshForMs };
    handle(announcement as Announcement);
  };
  announce(9000, 60_000);
  expect(held.freshForMs).toBe(60_000);
  announce(-5000, 5000); // late, about an earlier call
  expect(held.freshForMs).toBe(60_000);
  announce(5000);
  expect(held.freshForMs).toBeUndefined();
});

it('expects no picture to stay any longer once a call has failed', () => {
  const { memory, handle } = announcementParts();
  const held = heldFrame(camera, { freshForMs: 60_000 });
  memory.set(cameraId, held);
  const failure = { kind: 'failure', status: 502, reason: 'broken', nextMs: 1000 };
  handle({ v: 1, cameraId, ...failure } as Announcement);
  expect(held.freshForMs).toBeUndefined();
});

it('does not make a frame fresh that was purged during the call', () => {
  const { memory, clock, purges, handle } = announcementParts();
  const held = heldFrame(camera, { startedAgoMs: 9000 });
  memory.set(cameraId, held);
  const startedAtMs = held.startedAtMs + 8000;
  purges.apply({ cameraId, mode: 'soft', purgedAtMs: startedAtMs + 500 });
  const facts = { startedAtMs, capturedAtMs: startedAtMs + 800 };
  const announcement = { ...frameAnnouncement('unchanged', held.etag), facts, freshForMs: 60_000 };
  handle(announcement as Announcement);
  expect(held.freshForMs).toBeUndefined();
  const { intervalMs } = camera.source;
  expect(clock.monoMs() - held.startedMonoMs).toBeGreaterThanOrEqual(intervalMs);
  expect(held.startedAtMs).toBe(startedAtMs);
});

it('does not make the frame in memory older when the announcement is late', () => {
  const { memory, handle } = announcementParts();
  const held = heldFrame(camera, { startedAgoMs: 0 });
  const { startedMonoMs, capturedMonoMs } = held;
  memory.set(cameraId, held);
  const ages = { startedAgoMs: 9000, capturedAgoMs: 9000 };
  handle({ ...frameAnnouncement('unchanged', held.etag), ...ages } as never);
  expect(held).toMatchObject({ startedMonoMs, capturedMonoMs });
});

it.each([
  ['has other bytes', true],
  ['has nothing', false],
])('reads unchanged bytes of a watched camera when memory %s', async (_, has) => {
  const { memory, presence, stored, reader, handle } = announcementParts();
  presence.enter(camera);
  if (has) memory.set(cameraId, heldFrame(camera, { etag: '"older"' }));
  stored.held = heldFrame(camera);
  handle(frameAnnouncement('unchanged'));
  expect(reader.readFromNow).toHaveBeenCalledExactlyOnceWith(camera);
});

it('marks other bytes in memory outdated on unchanged bytes of an unwatched camera', () => {
  const { memory, reader, handle } = announcementParts();
  const held = heldFrame(camera, { etag: '"older"' });
  memory.set(cameraId, held);
  handle(frameAnnouncement('unchanged'));
  expect(held.mayBeOutdated).toBe(true);
  expect(reader.readFromNow).not.toHaveBeenCalled();
});

it('applies a purge, and does not pass it to the waiters', () => {
  const { memory, waiters, handle } = announcementParts();
  const held = heldFrame(camera);
  memory.set(cameraId, held);
  handle({ v: 1, kind: 'purge', cameraId, mode: 'hard', purgedAtMs: held.startedAtMs });
  expect(memory.peek(cameraId)).toBeUndefined();
  expect(waiters.onAnnouncement).not.toHaveBeenCalled();
});

it('passes an announcement to the other parts when one throws', async () => {
  const uncaught = catchUncaught();
  const { demand, waiters, handle } = announcementParts();
  waiters.onAnnouncement.mockImplementationOnce(() => {
    throw new Error('broken');
  });
  handle(others[1]);
  expect(demand.onAnnouncement).toHaveBeenCalledOnce();
  await vi.waitFor(() => expect(uncaught).toEqual([new Error('broken')]));
});
