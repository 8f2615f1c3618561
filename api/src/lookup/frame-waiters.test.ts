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
  const coldWait = createFrameWaiters({ ...parts, maxWaiters });
  // As the parts of a process are connected.
  parts.reader.onRead((_, { held }) => {
    if (held) coldWait.wake(held);
  });
  const wait = (signal = never) => coldWait.wait(camera, COLD_WAIT_MS, signal, anotherClient());
  /** Nobody waits, nobody is present, and no timer is left. */
  const expectNothingLeft = () =>
    expect([coldWait.waiting(), parts.viewers.isPresent(cameraId), vi.getTimerCount()]).toEqual([
      0,
      false,
      0,
    ]);
  return { ...parts, coldWait, wait, expectNothingLeft };
}

function waitNews(
  reason: 'busy' | 'hold' | 'budget' | 'places' | 'memory',
  inMs: number,
): Announcement {
  return { v: 1, cameraId, kind: 'wait', reason, inMs };
}

const failure = { status: 502, reason: 'the camera answered 500', nextMs: 5000 } as const;

describe('all who wait for one camera', () => {
  it('get its frame at once; the first called it, the others joined', async () => {
    const { coldWait, wait, expectNothingLeft } = coldParts();
    const waits = [wait(), wait(), wait()];
    expect(coldWait.waiting()).toBe(3);
    const held = heldFrame(camera);
    coldWait.wake(held);
    expect(await Promise.all(waits)).toEqual([
      { end: 'frame', held, joined: false },
      { end: 'frame', held, joined: true },
      { end: 'frame', held, joined: true },
    ]);
    expectNothingLeft();
  });

  it('are present as viewers meanwhile', () => {
    const { viewers, wait } = coldParts();
    void wait();
    expect(viewers.watchedCamera(cameraId)).toBe(camera);
  });

  it('are told at once that the fleet does not take a new camera, however soon it may', async () => {
    for (const refusal of ['places', 'memory'] as const) {
      const { coldWait, wait, expectNothingLeft } = coldParts();
      const waited = wait();
      coldWait.onAnnouncement(waitNews(refusal, 10));
      expect(await waited).toEqual({ end: 'wait', inMs: 10, refusal });
      expectNothingLeft();
    }
  });

  it('are not woken by the frame of another camera', async () => {
    const { coldWait, wait } = coldParts();
    const settled = vi.fn();
    void wait().then(settled);
    coldWait.wake(heldFrame(testCamera('b')));
    await vi.advanceTimersByTimeAsync(500);
    expect(settled).not.toHaveBeenCalled();
  });

  it('look less often in a crowd of cold cameras, and are found all the same', async () => {
    const parts = coldParts({ maxWaiters: 2000 });
    for (let n = 0; n < 1000; n += 1) {
      void parts.coldWait.wait(testCamera(`cold-${n}`), COLD_WAIT_MS, never, anotherClient());
    }
    await vi.advanceTimersByTimeAsync(6000);
    parts.reader.read.mockClear();
    await vi.advanceTimersByTimeAsync(5000);
    expect(parts.reader.read.mock.calls.length).toBeLessThanOrEqual(1100); // not 5,000
    expect(parts.reader.read.mock.calls.length).toBeGreaterThanOrEqual(900);
    await vi.advanceTimersByTimeAsync(5000);
    parts.expectNothingLeft();
  });

  it('share one look at the store each second', async () => {
    const { reader, wait } = coldParts();
    void wait();
    await vi.advanceTimersByTimeAsync(300);
    void wait();
    await vi.advanceTimersByTimeAsync(2700);
    expect(reader.read).toHaveBeenCalledTimes(3);
  });

  it('can wait anew after a wait has ended', async () => {
    const { coldWait, wait, expectNothingLeft } = coldParts();
    const first = wait();
    coldWait.wake(heldFrame(camera));
    const second = wait(); // while the first has not left yet
    await first;
    expect(coldWait.waiting()).toBe(1);
    coldWait.wake(heldFrame(camera));
    expect(await second).toMatchObject({ end: 'frame' });
    expect(await Promise.all([wait(), Promise.resolve().then(() => coldWait.close())])).toEqual([
      { end: 'timeout' },
      undefined,
    ]);
    expectNothingLeft();
  });
});

describe('a wait ends', () => {
  it('with the failure of the camera', async () => {
    const { coldWait, wait, expectNothingLeft } = coldParts();
    const waits = [wait(), wait()];
    const news = { v: 1, cameraId, kind: 'failure', ...failure } as const;
    coldWait.onAnnouncement(news);
    const end = { end: 'failure', failure: expect.objectContaining(failure) };
    expect(await Promise.all(waits)).toEqual([end, end]);
    expectNothingLeft();
  });

  it('when no permit can be had within the time that is left', async () => {
    const { coldWait, wait, expectNothingLeft } = coldParts();
    const first = wait();
    await vi.advanceTimersByTimeAsync(10_000);
    const second = wait();
    coldWait.onAnnouncement(waitNews('hold', 10_000));
    expect(await first).toEqual({ end: 'wait', inMs: 10_000 });
    expect(coldWait.waiting()).toBe(1);
    coldWait.onAnnouncement(waitNews('budget', 15_001));
    expect(await second).toEqual({ end: 'wait', inMs: 15_001 });
    expectNothingLeft();
  });

  it('when its time is over, not before', async () => {
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

  it('when the viewer goes away, for him alone', async () => {
    const { coldWait, wait, expectNothingLeft } = coldParts();
    const viewer = new AbortController();
    const gone = wait(viewer.signal);
    const stays = wait();
    viewer.abort();
    expect(await gone).toEqual({ end: 'timeout' });
    expect(coldWait.waiting()).toBe(1);
    coldWait.wake(heldFrame(camera));
    expect(await stays).toMatchObject({ end: 'frame' });
    expectNothingLeft();
  });

  it('at once when the viewer had gone before it began', async () => {
    const { wait, expectNothingLeft } = coldParts();
    expect(await wait(AbortSignal.abort())).toEqual({ end: 'timeout' });
    expectNothingLeft();
  });

  it('when the process closes', async () => {
    const { coldWait, wait, expectNothingLeft } = coldParts();
    const waits = [wait(), coldWait.wait(testCamera('b'), COLD_WAIT_MS, never, 'b')];
    coldWait.close();
    expect(await Promise.all(waits)).toEqual([{ end: 'timeout' }, { end: 'timeout' }]);
    expectNothingLeft();
  });

  it('before it begins when too many wait already, and not any more when one has left', async () => {
    const { coldWait, wait } = coldParts({ maxWaiters: 2 });
    const first = [wait(), wait()];
    expect(await wait()).toEqual({ end: 'full' });
    expect(coldWait.waiting()).toBe(2);
    coldWait.wake(heldFrame(camera));
    await Promise.all(first);
    void wait();
    expect(coldWait.waiting()).toBe(1);
  });

  it('before it begins when one client has more waits than are left: others still get theirs', async () => {
    const { coldWait, wait } = coldParts({ maxWaiters: 10 });
    const greedy = () => coldWait.wait(camera, COLD_WAIT_MS, never, 'greedy');
    const ends = Array.from({ length: 9 }, greedy);
    expect(await ends.at(-1)).toEqual({ end: 'full' });
    expect(coldWait.waiting()).toBe(6);
    void wait();
    void wait();
    expect(coldWait.waiting()).toBe(8);
    coldWait.close();
  });

  it.each([
    ['a short wait for a permit', waitNews('budget', 15_000)],
    ['a call that is under way, however long its permit lives', waitNews('busy', 21_000)],
    ['the start of a call', { v: 1, cameraId, kind: 'started' }],
    ['the failure of another', { ...failure, v: 1, cameraId: 'b', kind: 'failure' }],
  ] as const)('not with %s', async (_, news) => {
    const { coldWait, wait } = coldParts();
    const waited = wait();
    coldWait.onAnnouncement(news);
    await vi.advanceTimersByTimeAsync(900);
    coldWait.wake(heldFrame(camera));
    expect(await waited).toMatchObject({ end: 'frame' });
  });
});

describe('a wait for the next frame', () => {
  const old = heldFrame(camera, { text: 'old' });
  const forAnother = ({ etag }: { etag: string }) => etag !== old.etag;
  const waitForNext = ({ coldWait }: ReturnType<typeof coldParts>, signal = never) =>
    coldWait.waitForNext(camera, COLD_WAIT_MS, signal, anotherClient(), forAnother);

  it('ends with a frame that is new to the viewer, not with the one that he has', async () => {
    const parts = coldParts();
    const waited = waitForNext(parts);
    parts.coldWait.wake(old);
    parts.stored.held = old;
    await vi.advanceTimersByTimeAsync(1000);
    const next = heldFrame(camera, { text: 'next' });
    parts.coldWait.wake(next);
    expect(await waited).toEqual({ end: 'frame', held: next, joined: false });
    parts.expectNothingLeft();
  });

  it('finds one whose announcement was lost', async () => {
    const parts = coldParts();
    const waited = waitForNext(parts);
    parts.stored.held = heldFrame(camera, { text: 'next' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waited).toMatchObject({ end: 'frame', held: parts.stored.held });
    parts.expectNothingLeft();
  });

  it('outlasts failures and waits for a permit: who waits has a frame', async () => {
    const parts = coldParts();
    const waited = waitForNext(parts);
    parts.stored.failure = failure;
    parts.coldWait.onAnnouncement({ v: 1, cameraId, kind: 'failure', ...failure });
    parts.coldWait.onAnnouncement(waitNews('hold', 60_000));
    await vi.advanceTimersByTimeAsync(COLD_WAIT_MS - 1);
    expect(parts.viewers.isPresent(cameraId)).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waited).toEqual({ end: 'timeout' });
    parts.expectNothingLeft();
  });

  it('leaves half of the places to those who wait for a first one', async () => {
    const parts = coldParts({ maxWaiters: 4 });
    void waitForNext(parts);
    void waitForNext(parts);
    expect(await waitForNext(parts)).toEqual({ end: 'full' });
    void parts.wait();
    void parts.wait();
    expect(await parts.wait()).toEqual({ end: 'full' });
    expect(parts.coldWait.waiting()).toBe(4);
  });

  it('leaves nothing behind when the viewer goes away, and counts among those who wait', async () => {
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

describe('an announcement that got lost', () => {
  it('is made up for by the store, within a second', async () => {
    const { stored, wait, expectNothingLeft } = coldParts();
    const waited = wait();
    await vi.advanceTimersByTimeAsync(500);
    stored.held = heldFrame(camera);
    await vi.advanceTimersByTimeAsync(500);
    expect(await waited).toEqual({ end: 'frame', held: stored.held, joined: false });
    expectNothingLeft();
  });

  it('may have been that of a failure', async () => {
    const { stored, wait, expectNothingLeft } = coldParts();
    stored.failure = failure;
    const waited = wait();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waited).toEqual({ end: 'failure', failure });
    expectNothingLeft();
  });

  it('is looked for again after the store could not be read', async () => {
    const { reader, stored, wait } = coldParts();
    reader.read.mockRejectedValueOnce(new Error('away'));
    const waited = wait();
    await vi.advanceTimersByTimeAsync(1000);
    stored.held = heldFrame(camera);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waited).toMatchObject({ end: 'frame' });
  });
});
