import type { Announcement } from '@lastframe/shared/messages/announcement';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { endFreshTime, makeStale } from '../cache/held-frame.ts';
import {
  type AnnouncementBody,
  type DemandParts,
  demandParts,
  frameBody,
  INTERVAL_MS,
  jobsWithin,
} from '../test-support/demand-parts.ts';
import { heldFrame } from '../test-support/parts.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe('a watched camera whose picture is expected to stay', () => {
  const lasting = testCamera('f', { intervalMs: INTERVAL_MS, maxIntervalMs: 600_000 });
  const announceFor = (parts: DemandParts, body: AnnouncementBody) =>
    parts.demand.onAnnouncement({ v: 1, cameraId: lasting.cameraId, ...body } as Announcement);

  /** Lets a frame arrive that is fresh for a minute. */
  const frameArrives = async (parts: DemandParts) => {
    const lastRequestedMonoMs = parts.clock.monoMs();
    const held = heldFrame(lasting, { freshForMs: 60_000, lastRequestedMonoMs });
    parts.memory.set(lasting.cameraId, held);
    announceFor(parts, { ...frameBody(5015), freshForMs: 60_000 });
    await jobsWithin(parts, 0);
    return held;
  };

  it('is requested when it is due', async () => {
    const parts = demandParts();
    await frameArrives(parts);
    expect(await jobsWithin(parts, 59_000)).toBe(0);
    expect(await jobsWithin(parts, 1100)).toBe(1);
  });

  it('is requested at once when new rules allow no longer interval', async () => {
    const parts = demandParts();
    const leave = parts.presence.enter(lasting);
    await frameArrives(parts);
    await jobsWithin(parts, 20_000);
    const strict = testCamera('f', { intervalMs: INTERVAL_MS });
    parts.presence.enter(strict);
    leave();
    parts.demand.raise(strict);
    expect(await jobsWithin(parts, 0)).toBe(1);
  });

  it('is requested when its permit ends, if it is purged before', async () => {
    const parts = demandParts();
    const held = await frameArrives(parts);
    await jobsWithin(parts, 1000);
    makeStale(held, parts.clock.monoMs());
    announceFor(parts, { kind: 'purge', mode: 'soft', purgedAtMs: held.startedAtMs + 1 });
    expect(await jobsWithin(parts, 4000)).toBe(0);
    expect(await jobsWithin(parts, 100)).toBe(1);
  });

  it('is requested at once if it is purged later, whether or not that is announced', async () => {
    for (const isAnnounced of [true, false]) {
      const parts = demandParts();
      const held = await frameArrives(parts);
      await jobsWithin(parts, 30_000);
      makeStale(held, parts.clock.monoMs());
      const purgedAtMs = held.startedAtMs + 1;
      if (isAnnounced) announceFor(parts, { kind: 'purge', mode: 'soft', purgedAtMs });
      else parts.demand.raise(lasting);
      expect(await jobsWithin(parts, 50)).toBe(1);
    }
  });

  it('is requested again soon after a call that failed before it was due', async () => {
    const parts = demandParts();
    const held = await frameArrives(parts);
    await jobsWithin(parts, 30_000);
    endFreshTime(held);
    announceFor(parts, { kind: 'failure', status: 502, reason: 'broken', nextMs: 10_000 });
    expect(await jobsWithin(parts, 9900)).toBe(0);
    expect(await jobsWithin(parts, 200)).toBe(1);
  });
});
