import type { HealthFacts } from '@lastframe/shared/cameras/camera-health';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { catchUncaught } from '../../../testing/test-uncaught.ts';
import { heldFrame, streamParts, testParts } from '../test-support/parts.ts';
import type { CameraUpdate } from './camera-feed.ts';

const camera = testCamera('a');
const { cameraId } = camera;

beforeEach(() => void vi.useFakeTimers({ now: 1_790_000_000_000 }));
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

function liveParts() {
  const parts = testParts();
  const raise = vi.fn();
  const streams = streamParts(parts, { raise });
  const { live, tellRead, framesClock } = streams;
  let facts: HealthFacts = {};
  parts.reader.read.mockImplementation(async (asked) => {
    const read = { ...parts.stored };
    tellRead(asked, read, facts);
    return read;
  });
  /** The store has it, and it is in memory. */
  const store = (text: string, of = camera) => {
    const atMs = framesClock.nowMs();
    const times = { startedAtMs: atMs, capturedAtMs: atMs, changedAtMs: atMs };
    parts.stored.held = heldFrame(of, { text, ...times });
    facts = { frame: times, goodSinceMs: atMs };
    parts.memory.set(of.cameraId, parts.stored.held);
    return parts.stored.held;
  };
  const watch = (waitMs = () => 0, of = camera) => {
    const told: CameraUpdate[] = [];
    const leave = live.subscribe(of, (news) => told.push(news), waitMs);
    return { told, leave, kinds: () => told.map(({ kind }) => kind) };
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);
  return { ...parts, ...streams, raise, store, watch, settle };
}

const failure: Announcement = {
  v: 1,
  cameraId,
  kind: 'failure',
  status: 502,
  reason: 'the camera answered 500',
  nextMs: 5000,
};

describe('a watched camera', () => {
  it('is demand and somebody is present, until the last one leaves', async () => {
    const { watch, settle, viewers, raise, live } = liveParts();
    const [one, two] = [watch(), watch()];
    await settle();
    expect(raise).toHaveBeenCalledOnce();
    one.leave();
    expect(viewers.isPresent(cameraId)).toBe(true);
    two.leave();
    expect(viewers.isPresent(cameraId)).toBe(false);
    live.onAnnouncement(failure); // of no interest any more
    expect(two.kinds()).toEqual(['health']);
  });

  it('is told as it is to everybody who comes, by one read', async () => {
    const { watch, settle, store, reader } = liveParts();
    store('a');
    const first = watch();
    await settle();
    const second = watch();
    expect([first.kinds(), second.kinds()]).toEqual([['frame'], ['frame']]);
    expect(second.told[0]?.state.health.health).toBe('live');
    expect(reader.read).toHaveBeenCalledOnce();
  });

  it('is told by what memory has, when the store is away', async () => {
    const { watch, settle, store, reader } = liveParts();
    store('a');
    reader.read.mockRejectedValue(new Error('away'));
    const { kinds } = watch();
    await settle();
    expect(kinds()).toEqual(['frame']);
  });

  it('is news when its frame is read, however that came about, and to all the very same', async () => {
    const { watch, settle, store, tellRead, stored } = liveParts();
    const [one, two] = [watch(), watch()];
    await settle();
    store('a');
    tellRead(camera, stored);
    tellRead(camera, stored);
    expect(one.kinds()).toEqual(['health', 'frame']);
    expect(two.told[1]).toBe(one.told[1]);
  });

  it('is news when the same bytes come again, and when it fails: by the announcement alone', async () => {
    const { watch, settle, store, live, framesClock, reader } = liveParts();
    const { etag } = store('a');
    const { told, kinds } = watch();
    await settle();
    await vi.advanceTimersByTimeAsync(5000);
    const atMs = framesClock.nowMs();
    const facts = { startedAtMs: atMs, capturedAtMs: atMs, changedAtMs: 1, goodSinceMs: 2 };
    const ages = { startedAgoMs: 0, capturedAgoMs: 0, nextMs: 5000 };
    live.onAnnouncement({ v: 1, cameraId, kind: 'unchanged', etag, ...ages, facts });
    live.onAnnouncement({ v: 1, cameraId, kind: 'unchanged', etag: '"other"', ...ages }); // is read first
    await vi.advanceTimersByTimeAsync(100);
    live.onAnnouncement(failure);
    expect(kinds()).toEqual(['frame', 'unchanged', 'failure']);
    expect(told[1]?.state).toMatchObject({
      frame: { etag, capturedAtMs: atMs, changedAtMs: 1 },
      health: { health: 'live', sinceMs: 2 },
    });
    expect(told[2]?.state.health).toMatchObject({ health: 'failing', reason: failure.reason });
    expect(reader.read).toHaveBeenCalledOnce();
  });

  it('is told of by a worker of an older version too, which tells ages only', async () => {
    const { watch, settle, store, live } = liveParts();
    const { etag } = store('a');
    const { told } = watch();
    await settle();
    await vi.advanceTimersByTimeAsync(5000);
    const ages = { startedAgoMs: 300, capturedAgoMs: 100, nextMs: 5000 };
    live.onAnnouncement({ v: 1, cameraId, kind: 'unchanged', etag, ...ages });
    expect(told[1]?.kind).toBe('unchanged');
    expect(told[1]?.state.health.health).toBe('live');
  });

  it('is not well again by a read that had begun before it failed', async () => {
    const { watch, settle, store, live, framesClock, stored } = liveParts();
    store('a');
    const { told } = watch();
    await settle();
    const readAtMs = framesClock.nowMs();
    await vi.advanceTimersByTimeAsync(100);
    live.onAnnouncement(failure);
    live.onRead(camera, stored.held, { nowMs: readAtMs, facts: {} });
    expect(told.at(-1)?.state.health.health).toBe('failing');
  });

  it('becomes late by the clock, and is told so once', async () => {
    const { watch, settle, store, live } = liveParts();
    store('a');
    const { kinds, told } = watch();
    await settle();
    await vi.advanceTimersByTimeAsync(9900);
    live.poll();
    await vi.advanceTimersByTimeAsync(200);
    live.poll();
    live.poll();
    expect(kinds()).toEqual(['frame', 'health']);
    expect(told[1]?.state.health.health).toBe('late');
  });
});

describe('a camera without a frame', () => {
  it('is asked for only when one of its viewers may', async () => {
    const { live, watch, settle, raise } = liveParts();
    let leftMs = 3000;
    const { kinds } = watch(() => leftMs);
    await settle();
    expect(kinds()).toEqual(['health']); // at once all the same
    expect(raise).not.toHaveBeenCalled();
    live.poll();
    expect(raise).not.toHaveBeenCalled();
    leftMs = 0;
    live.poll();
    live.poll();
    expect(raise).toHaveBeenCalledOnce();
  });

  it('is asked for as soon as another one comes who may', async () => {
    const { watch, settle, raise } = liveParts();
    watch(() => 60_000);
    await settle();
    watch(() => 0);
    expect(raise).toHaveBeenCalledOnce();
  });

  it('is asked for no more when he who had to wait has gone', async () => {
    const { live, watch, settle, raise } = liveParts();
    let leftMs = 1000;
    const { leave } = watch(() => leftMs);
    await settle();
    leave();
    leftMs = 0;
    live.poll();
    expect(raise).not.toHaveBeenCalled();
  });

  it('is not tried again and again for a viewer with thousands of them that may not ask now', async () => {
    const { live, watch, settle } = liveParts();
    const waitMs = vi.fn(() => 100);
    for (let n = 0; n < 1000; n += 1) watch(waitMs, testCamera(`cold-${n}`));
    await settle();
    waitMs.mockClear();
    live.poll();
    expect(waitMs).toHaveBeenCalledOnce();
  });
});

it('a viewer whose stream throws costs no other viewer of the camera anything', async () => {
  const uncaught = catchUncaught();
  const { live, store, watch, settle } = liveParts();
  store('first');
  const tell = vi.fn();
  live.subscribe(camera, tell, () => 0);
  const { kinds } = watch();
  await settle();
  const before = kinds().length;
  tell.mockImplementation(() => {
    throw new Error('broken');
  });
  live.onAnnouncement(failure);
  expect(kinds()).toHaveLength(before + 1);
  vi.useRealTimers();
  await expect.poll(() => uncaught).toEqual([new Error('broken')]);
});
