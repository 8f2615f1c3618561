import type { Announcement } from '@lastframe/shared/messages/announcement';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { heldFrame, testParts } from '../test-support/parts.ts';
import { createFrameWaiters } from './frame-waiters.ts';

const camera = testCamera('a');
const { cameraId } = camera;
const COLD_WAIT_MS = 15_000;
const never = new AbortController().signal;
let clients = 0;
const anotherClient = () => {
  clients += 1;
  return `client-${clients}`;
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function coldParts({ maxWaiters = 100 } = {}) {
  const parts = testParts();
  const waiters = createFrameWaiters({ ...parts, maxWaiters });
  // Wired as in a process.
  parts.reader.onRead((_, { held }) => {
    if (held) waiters.wake(held);
  });
  const wait = (signal = never) => waiters.wait(camera, COLD_WAIT_MS, signal, anotherClient());
  /** Expects that no waiter, no present viewer and no timer is left. */
  const expectNothingLeft = () =>
    expect([waiters.waiting(), parts.presence.isPresent(cameraId), vi.getTimerCount()]).toEqual([
      0,
      false,
      0,
    ]);
  return { ...parts, waiters, wait, expectNothingLeft };
}

function waitAnnouncement(
  reason: 'busy' | 'hold' | 'budget' | 'places' | 'memory',
  inMs: number,
): Announcement {
  return { v: 1, cameraId, kind: 'wait', reason, inMs };
}

const failure = { status: 502, reason: 'the camera responded with 500', nextMs: 5000 } as const;

describe('requests that wait for one camera', () => {
  it('get its frame at once; all but the first count as joined', async () => {
    const { waiters, wait, expectNothingLeft } = coldParts();
    const waits = [wait(), wait(), wait()];
    expect(waiters.waiting()).toBe(3);
    const held = heldFrame(camera);
    waiters.wake(held);
    expect(await Promise.all(waits)).toEqual([
      { end: 'frame', held, joined: false },
      { end: 'frame', held, joined: true },
      { end: 'frame', held, joined: true },
    ]);
    expectNothingLeft();
  });

  it('count as present viewers', () => {
    const { presence, wait } = coldParts();
    void wait();
    expect(presence.watchedCamera(cameraId)).toBe(camera);
  });

  it('end at once when the fleet rejects a new camera, however soon it may accept it', async () => {
    for (const rejection of ['places', 'memory'] as const) {
      const { waiters, wait, expectNothingLeft } = coldParts();
      const waited = wait();
      waiters.onAnnouncement(waitAnnouncement(rejection, 10));
      expect(await waited).toEqual({ end: 'wait', inMs: 10, rejection });
      expectNothingLeft();
    }
  });

  it('are not woken by the frame of another camera', async () => {
    const { waiters, wait } = coldParts();
    const settled = vi.fn();
    void wait().then(settled);
    waiters.wake(heldFrame(testCamera('b')));
    await vi.advanceTimersByTimeAsync(500);
    expect(settled).not.toHaveBeenCalled();
  });

  it('poll less often in a crowd of cold cameras, and still end', async () => {
    const parts = coldParts({ maxWaiters: 2000 });
    for (let n = 0; n < 1000; n += 1) {
      void parts.waiters.wait(testCamera(`cold-${n}`), COLD_WAIT_MS, never, anotherClient());
    }
    await vi.advanceTimersByTimeAsync(6000);
    parts.reader.read.mockClear();
    await vi.advanceTimersByTimeAsync(5000);
    expect(parts.reader.read.mock.calls.length).toBeLessThanOrEqual(1100); // not 5,000
    expect(parts.reader.read.mock.calls.length).toBeGreaterThanOrEqual(900);
    await vi.advanceTimersByTimeAsync(5000);
    parts.expectNothingLeft();
  });

  it('share one poll of the store per second', async () => {
    const { reader, wait } = coldParts();
    void wait();
    await vi.advanceTimersByTimeAsync(300);
    void wait();
    await vi.advanceTimersByTimeAsync(2700);
    expect(reader.read).toHaveBeenCalledTimes(3);
  });

  it('can wait again after a wait has ended', async () => {
    const { waiters, wait, expectNothingLeft } = coldParts();
    const first = wait();
    waiters.wake(heldFrame(camera));
    const second = wait(); // before the first has left
    await first;
    expect(waiters.waiting()).toBe(1);
    waiters.wake(heldFrame(camera));
    expect(await second).toMatchObject({ end: 'frame' });
    expect(await Promise.all([wait(), Promise.resolve().then(() => waiters.close())])).toEqual([
      { end: 'timeout' },
      undefined,
    ]);
    expectNothingLeft();
  });
});

describe('a wait ends', () => {
  it('with the failure of the camera', async () => {
    const { waiters, wait, expectNothingLeft } = coldParts();
    const waits = [wait(), wait()];
    const announcement = { v: 1, cameraId, kind: 'failure', ...failure } as const;
    waiters.onAnnouncement(announcement);
    const end = { end: 'failure', failure: expect.objectContaining(failure) };
    expect(await Promise.all(waits)).toEqual([end, end]);
    expectNothingLeft();
  });

  it('when no permit is available within the time left', async () => {
    const { waiters, wait, expectNothingLeft } = coldParts();
    const first = wait();
    await vi.advanceTimersByTimeAsync(10_000);
    const second = wait();
    waiters.onAnnouncement(waitAnnouncement('hold', 10_000));
    expect(await first).toEqual({ end: 'wait', inMs: 10_000 });
    expect(waiters.waiting()).toBe(1);
    waiters.onAnnouncement(waitAnnouncement('budget', 15_001));
    expect(await second).toEqual({ end: 'wait', inMs: 15_001 });
    expectNothingLeft();
  });

  it('when its time is up, not before', async () => {
    const { wait, expectNothingLeft } = coldParts();
    const settled = vi.fn();
    const waited = wait().then(settled);
    await vi.advanceTimersByTimeAsync(COLD_WAIT_MS - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await waited;
    expect(settled).toHaveBeenCalledWith({ end: 'timeout' });
    expectNothingLeft();
  });

  it('when the viewer leaves, for that viewer alone', async () => {
    const { waiters, wait, expectNothingLeft } = coldParts();
    const viewer = new AbortController();
    const gone = wait(viewer.signal);
    const stays = wait();
    viewer.abort();
    expect(await gone).toEqual({ end: 'timeout' });
    expect(waiters.waiting()).toBe(1);
    waiters.wake(heldFrame(camera));
    expect(await stays).toMatchObject({ end: 'frame' });
    expectNothingLeft();
  });

  it('at once when the viewer left before it began', async () => {
    const { wait, expectNothingLeft } = coldParts();
    expect(await wait(AbortSignal.abort())).toEqual({ end: 'timeout' });
    expectNothingLeft();
  });

  it('when the process closes', async () => {
    const { waiters, wait, expectNothingLeft } = coldParts();
    const waits = [wait(), waiters.wait(testCamera('b'), COLD_WAIT_MS, never, 'b')];
    waiters.close();
    expect(await Promise.all(waits)).toEqual([{ end: 'timeout' }, { end: 'timeout' }]);
    expectNothingLeft();
  });

  it('before it begins when too many are waiting, until one has left', async () => {
    const { waiters, wait } = coldParts({ maxWaiters: 2 });
    const first = [wait(), wait()];
    expect(await wait()).toEqual({ end: 'full' });
    expect(waiters.waiting()).toBe(2);
    waiters.wake(heldFrame(camera));
    await Promise.all(first);
    void wait();
    expect(waiters.waiting()).toBe(1);
  });

  it('before it begins when one client has its share, so others still get theirs', async () => {
    const { waiters, wait } = coldParts({ maxWaiters: 10 });
    const greedy = () => waiters.wait(camera, COLD_WAIT_MS, never, 'greedy');
    const ends = Array.from({ length: 9 }, greedy);
    expect(await ends.at(-1)).toEqual({ end: 'full' });
    expect(waiters.waiting()).toBe(6);
    void wait();
    void wait();
    expect(waiters.waiting()).toBe(8);
    waiters.close();
  });

  it.each([
    ['a short wait for a permit', waitAnnouncement('budget', 15_000)],
    ['a call under way, however long its permit lives', waitAnnouncement('busy', 21_000)],
    ['the start of a call', { v: 1, cameraId, kind: 'started' }],
    ['the failure of another camera', { ...failure, v: 1, cameraId: 'b', kind: 'failure' }],
  ] as const)('not with %s', async (_, announcement) => {
    const { waiters, wait } = coldParts();
    const waited = wait();
    waiters.onAnnouncement(announcement);
    await vi.advanceTimersByTimeAsync(900);
    waiters.wake(heldFrame(camera));
    expect(await waited).toMatchObject({ end: 'frame' });
  });
});

describe('a wait for the next frame', () => {
  const old = heldFrame(camera, { text: 'old' });
  const forAnother = ({ etag }: { etag: string }) => etag !== old.etag;
  const waitForNext = ({ waiters }: ReturnType<typeof coldParts>, signal = never) =>
    waiters.waitForNext(camera, COLD_WAIT_MS, signal, anotherClient(), forAnother);

  it('ends with a frame that is new to the viewer, not with the one they have', async () => {
    const parts = coldParts();
    const waited = waitForNext(parts);
    parts.waiters.wake(old);
    parts.stored.held = old;
    await vi.advanceTimersByTimeAsync(1000);
    const next = heldFrame(camera, { text: 'next' });
    parts.waiters.wake(next);
    expect(await waited).toEqual({ end: 'frame', held: next, joined: false });
    parts.expectNothingLeft();
  });

  it('finds a frame whose announcement was lost', async () => {
    const parts = coldParts();
    const waited = waitForNext(parts);
    parts.stored.held = heldFrame(camera, { text: 'next' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waited).toMatchObject({ end: 'frame', held: parts.stored.held });
    parts.expectNothingLeft();
  });

  it('outlasts failures and waits for a permit', async () => {
    const parts = coldParts();
    const waited = waitForNext(parts);
    parts.stored.failure = failure;
    parts.waiters.onAnnouncement({ v: 1, cameraId, kind: 'failure', ...failure });
    parts.waiters.onAnnouncement(waitAnnouncement('hold', 60_000));
    await vi.advanceTimersByTimeAsync(COLD_WAIT_MS - 1);
    expect(parts.presence.isPresent(cameraId)).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waited).toEqual({ end: 'timeout' });
    parts.expectNothingLeft();
  });

  it('leaves half of the slots to requests for a first frame', async () => {
    const parts = coldParts({ maxWaiters: 4 });
    void waitForNext(parts);
    void waitForNext(parts);
    expect(await waitForNext(parts)).toEqual({ end: 'full' });
    void parts.wait();
    void parts.wait();
    expect(await parts.wait()).toEqual({ end: 'full' });
    expect(parts.waiters.waiting()).toBe(4);
  });

  it('counts towards the limit, and leaves nothing behind when the viewer leaves', async () => {
    const parts = coldParts({ maxWaiters: 1 });
    const viewer = new AbortController();
    const waited = waitForNext(parts, viewer.signal);
    expect(await waitForNext(parts)).toEqual({ end: 'full' });
    expect(await parts.wait()).toEqual({ end: 'full' });
    viewer.abort();
    expect(await waited).toEqual({ end: 'timeout' });
    parts.expectNothingLeft();
  });
});

describe('a lost announcement', () => {
  it('is made up for by a poll of the store within a second', async () => {
    const { stored, wait, expectNothingLeft } = coldParts();
    const waited = wait();
    await vi.advanceTimersByTimeAsync(500);
    stored.held = heldFrame(camera);
    await vi.advanceTimersByTimeAsync(500);
    expect(await waited).toEqual({ end: 'frame', held: stored.held, joined: false });
    expectNothingLeft();
  });

  it('may be that of a failure', async () => {
    const { stored, wait, expectNothingLeft } = coldParts();
    stored.failure = failure;
    const waited = wait();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waited).toEqual({ end: 'failure', failure });
    expectNothingLeft();
  });

  it('is made up for by a later poll when one fails', async () => {
    const { reader, stored, wait } = coldParts();
    reader.read.mockRejectedValueOnce(new Error('away'));
    const waited = wait();
    await vi.advanceTimersByTimeAsync(1000);
    stored.held = heldFrame(camera);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waited).toMatchObject({ end: 'frame' });
  });
});
