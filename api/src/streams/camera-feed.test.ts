import type { HealthFacts } from '@lastframe/shared/cameras/camera-health';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { catchUncaught } from '../../../testing/checks/test-uncaught.ts';
import { testCamera } from '../../../testing/test-camera.ts';
import { heldFrame, streamParts, testParts } from '../test-support/parts.ts';
import type { CameraUpdate } from './camera-feed.ts';

const camera = testCamera('a');
const { cameraId } = camera;

beforeEach(() => void vi.useFakeTimers({ now: 1_790_000_000_000 }));
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

function feedParts() {
  const parts = testParts();
  const raise = vi.fn();
  const streams = streamParts(parts, { raise });
  const { cameraFeed, tellRead } = streams;
  const { framesClock } = parts;
  let facts: HealthFacts = {};
  parts.reader.read.mockImplementation(async (requested) => {
    const read = { ...parts.stored };
    tellRead(requested, read, facts);
    return read;
  });
  /** Puts a frame into the store and into memory. */
  const store = (text: string, of = camera) => {
    const atMs = framesClock.nowMs();
    const times = { startedAtMs: atMs, capturedAtMs: atMs, changedAtMs: atMs };
    parts.stored.held = heldFrame(of, { text, ...times });
    facts = { frame: times, goodSinceMs: atMs };
    parts.memory.set(of.cameraId, parts.stored.held);
    return parts.stored.held;
  };
  const watch = (waitMs = () => 0, of = camera) => {
    const updates: CameraUpdate[] = [];
    const leave = cameraFeed.subscribe(of, (update) => updates.push(update), waitMs);
    return { updates, leave, kinds: () => updates.map(({ kind }) => kind) };
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);
  return { ...parts, ...streams, raise, store, watch, settle };
}

const failure: Announcement = {
  v: 1,
  cameraId,
  kind: 'failure',
  status: 502,
  reason: 'the camera responded with 500',
  nextMs: 5000,
};

describe('a watched camera', () => {
  it('raises demand and counts as watched until its last subscriber leaves', async () => {
    const { watch, settle, presence, raise, cameraFeed } = feedParts();
    const [one, two] = [watch(), watch()];
    await settle();
    expect(raise).toHaveBeenCalledOnce();
    one.leave();
    expect(presence.isPresent(cameraId)).toBe(true);
    two.leave();
    expect(presence.isPresent(cameraId)).toBe(false);
    cameraFeed.onAnnouncement(failure); // ignored: no subscriber is left
    expect(two.kinds()).toEqual(['health']);
  });

  it('sends its current state to every new subscriber, with one read', async () => {
    const { watch, settle, store, reader } = feedParts();
    store('a');
    const first = watch();
    await settle();
    const second = watch();
    expect([first.kinds(), second.kinds()]).toEqual([['frame'], ['frame']]);
    expect(second.updates[0]?.state.health.health).toBe('live');
    expect(reader.read).toHaveBeenCalledOnce();
  });

  it('sends what memory has when the store is unavailable', async () => {
    const { watch, settle, store, reader } = feedParts();
    store('a');
    reader.read.mockRejectedValue(new Error('away'));
    const { kinds } = watch();
    await settle();
    expect(kinds()).toEqual(['frame']);
  });

  it('sends the same update to all subscribers when any read finds a new frame', async () => {
    const { watch, settle, store, tellRead, stored } = feedParts();
    const [one, two] = [watch(), watch()];
    await settle();
    store('a');
    tellRead(camera, stored);
    tellRead(camera, stored);
    expect(one.kinds()).toEqual(['health', 'frame']);
    expect(two.updates[1]).toBe(one.updates[1]);
  });

  it('sends updates on announced unchanged bytes and failures, without a read', async () => {
    const { watch, settle, store, cameraFeed, framesClock, reader } = feedParts();
    const { etag } = store('a');
    const { updates, kinds } = watch();
    await settle();
    await vi.advanceTimersByTimeAsync(5000);
    const atMs = framesClock.nowMs();
    const facts = { startedAtMs: atMs, capturedAtMs: atMs, changedAtMs: 1, goodSinceMs: 2 };
    const ages = { startedAgoMs: 0, capturedAgoMs: 0, nextMs: 5000 };
    cameraFeed.onAnnouncement({ v: 1, cameraId, kind: 'unchanged', etag, ...ages, facts });
    cameraFeed.onAnnouncement({ v: 1, cameraId, kind: 'unchanged', etag: '"other"', ...ages }); // is read
    await vi.advanceTimersByTimeAsync(100);
    cameraFeed.onAnnouncement(failure);
    expect(kinds()).toEqual(['frame', 'unchanged', 'failure']);
    expect(updates[1]?.state).toMatchObject({
      frame: { etag, capturedAtMs: atMs, changedAtMs: 1 },
      health: { health: 'live', sinceMs: 2 },
    });
    expect(updates[2]?.state.health).toMatchObject({ health: 'failing', reason: failure.reason });
    expect(reader.read).toHaveBeenCalledOnce();
  });

  it('sends an update when an older worker announces only ages', async () => {
    const { watch, settle, store, cameraFeed } = feedParts();
    const { etag } = store('a');
    const { updates } = watch();
    await settle();
    await vi.advanceTimersByTimeAsync(5000);
    const ages = { startedAgoMs: 300, capturedAgoMs: 100, nextMs: 5000 };
    cameraFeed.onAnnouncement({ v: 1, cameraId, kind: 'unchanged', etag, ...ages });
    expect(updates[1]?.kind).toBe('unchanged');
    expect(updates[1]?.state.health.health).toBe('live');
  });

  it('stays failing after a read that began before the failure', async () => {
    const { watch, settle, store, cameraFeed, framesClock, stored } = feedParts();
    store('a');
    const { updates } = watch();
    await settle();
    const readAtMs = framesClock.nowMs();
    await vi.advanceTimersByTimeAsync(100);
    cameraFeed.onAnnouncement(failure);
    cameraFeed.onRead(camera, stored.held, { nowMs: readAtMs, facts: {} });
    expect(updates.at(-1)?.state.health.health).toBe('failing');
  });

  it('becomes late as time passes, and sends that once', async () => {
    const { watch, settle, store, cameraFeed } = feedParts();
    store('a');
    const { kinds, updates } = watch();
    await settle();
    await vi.advanceTimersByTimeAsync(9900);
    cameraFeed.poll();
    await vi.advanceTimersByTimeAsync(200);
    cameraFeed.poll();
    cameraFeed.poll();
    expect(kinds()).toEqual(['frame', 'health']);
    expect(updates[1]?.state.health.health).toBe('late');
  });
});

describe('a camera without a frame', () => {
  it('is requested only when one of its viewers may request it', async () => {
    const { cameraFeed, watch, settle, raise } = feedParts();
    let leftMs = 3000;
    const { kinds } = watch(() => leftMs);
    await settle();
    expect(kinds()).toEqual(['health']); // its state is still sent at once
    expect(raise).not.toHaveBeenCalled();
    cameraFeed.poll();
    expect(raise).not.toHaveBeenCalled();
    leftMs = 0;
    cameraFeed.poll();
    cameraFeed.poll();
    expect(raise).toHaveBeenCalledOnce();
  });

  it('is requested as soon as a viewer subscribes that may request it', async () => {
    const { watch, settle, raise } = feedParts();
    watch(() => 60_000);
    await settle();
    watch(() => 0);
    expect(raise).toHaveBeenCalledOnce();
  });

  it('is not requested after the viewer that had to wait has left', async () => {
    const { cameraFeed, watch, settle, raise } = feedParts();
    let leftMs = 1000;
    const { leave } = watch(() => leftMs);
    await settle();
    leave();
    leftMs = 0;
    cameraFeed.poll();
    expect(raise).not.toHaveBeenCalled();
  });

  it('costs one check per poll for a viewer with thousands of them that must wait', async () => {
    const { cameraFeed, watch, settle } = feedParts();
    const waitMs = vi.fn(() => 100);
    for (let n = 0; n < 1000; n += 1) watch(waitMs, testCamera(`cold-${n}`));
    await settle();
    waitMs.mockClear();
    cameraFeed.poll();
    expect(waitMs).toHaveBeenCalledOnce();
  });
});

it('a stream that throws does not affect other viewers of the camera', async () => {
  const uncaught = catchUncaught();
  const { cameraFeed, store, watch, settle } = feedParts();
  store('first');
  const send = vi.fn();
  cameraFeed.subscribe(camera, send, () => 0);
  const { kinds } = watch();
  await settle();
  const before = kinds().length;
  send.mockImplementation(() => {
    throw new Error('broken');
  });
  cameraFeed.onAnnouncement(failure);
  expect(kinds()).toHaveLength(before + 1);
  vi.useRealTimers();
  await expect.poll(() => uncaught).toEqual([new Error('broken')]);
});
