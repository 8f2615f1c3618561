import type { Announcement } from '@lastframe/shared/messages/announcement';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { markCurrent, markPossiblyOutdated } from '../cache/held-frame.ts';
import {
  type AnnouncementBody,
  type DemandParts,
  demandParts,
  frameBody,
  INTERVAL_MS,
  jobsWithin,
} from '../test-support/demand-parts.ts';
import { heldFrame } from '../test-support/parts.ts';

const camera = testCamera('a', { intervalMs: INTERVAL_MS });
const { cameraId } = camera;
/** Covers a permit's guard beyond its interval and the rounding up to a tick. */
const LITTLE_MS = 40;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

const announce = ({ demand }: DemandParts, body: AnnouncementBody) =>
  demand.onAnnouncement({ v: 1, cameraId, ...body } as Announcement);

describe('demand', () => {
  it('adds one job at once, however often it is raised', async () => {
    const parts = demandParts();
    for (let times = 0; times < 100; times += 1) parts.demand.raise(camera);
    expect(await jobsWithin(parts, 0)).toBe(1);
  });

  it.each([0, 0.5, 1])(
    'adds at most one job per bucket when raised all the time (random %d)',
    async (random) => {
      const parts = demandParts({ random });
      for (let ms = 0; ms < 60_000; ms += 100) {
        parts.demand.raise(camera);
        await vi.advanceTimersByTimeAsync(100);
      }
      expect(new Set(parts.buckets()).size).toBe(parts.add.mock.calls.length);
      expect(parts.add.mock.calls.length).toBeGreaterThanOrEqual(11);
    },
  );

  it('adds another job within 1.1 buckets while it lasts', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 0)).toBe(1);
    expect(await jobsWithin(parts, 5499)).toBe(0);
    expect(await jobsWithin(parts, 2)).toBe(1);
    expect(await jobsWithin(parts, 55_500)).toBe(10);
  });

  it('adds another job after seconds, even with an hour between calls', async () => {
    const parts = demandParts();
    parts.demand.raise(testCamera('slow', { intervalMs: 3_600_000 }));
    expect(await jobsWithin(parts, 5501)).toBe(2);
  });

  it('for one camera does not wait for that of another', async () => {
    const parts = demandParts();
    parts.demand.raise(camera);
    parts.demand.raise(testCamera('b'));
    expect(await jobsWithin(parts, 0)).toBe(2);
  });

  it('adds no job while the frame in memory is fresh, then one for a present viewer', async () => {
    const parts = demandParts();
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 1000 }));
    const leave = parts.presence.enter(camera);
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 3999)).toBe(0);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
    leave();
  });

  it('is not lost when raised while a job is being added', async () => {
    const parts = demandParts();
    const added = Promise.withResolvers<void>();
    parts.add.mockImplementationOnce(() => added.promise);
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    announce(parts, frameBody(3000));
    parts.demand.raise(camera);
    added.resolve();
    expect(await jobsWithin(parts, 2999)).toBe(0);
    expect(await jobsWithin(parts, 2)).toBe(1);
  });

  it('is not lost when raised just as the camera is forgotten', async () => {
    const parts = demandParts();
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    announce(parts, frameBody(1000));
    vi.advanceTimersByTime(1001); // the check ends now; its result arrives in the next microtask
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
  });
});

describe('while the fleet cannot take jobs', () => {
  it('adds no job without a worker, and one within a second of its start', async () => {
    const parts = demandParts();
    parts.fleet.closed = 'no worker is alive';
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 60_000)).toBe(0);
    parts.fleet.closed = undefined;
    expect(await jobsWithin(parts, 1000)).toBe(1);
  });

  it('adds as many jobs as workers take, and another with each that they have taken', async () => {
    const parts = demandParts();
    const cameras = Array.from({ length: 100 }, (_, n) => testCamera(`due-${n}`));
    for (const one of cameras) parts.demand.raise(one);
    expect(await jobsWithin(parts, 100)).toBe(64);
    for (const { cameraId: taken } of cameras.slice(0, 10))
      parts.demand.onAnnouncement({ v: 1, cameraId: taken, kind: 'started', queuedMs: 1000 });
    expect(await jobsWithin(parts, 0)).toBe(0); // they waited for too long
    for (const { cameraId: taken } of cameras.slice(10, 64))
      parts.demand.onAnnouncement({ v: 1, cameraId: taken, kind: 'started', queuedMs: 1 });
    expect(await jobsWithin(parts, 0)).toBe(36);
  });

  it('adds another job in place of one of which nothing was heard', async () => {
    const parts = demandParts();
    for (let n = 0; n < 100; n += 1) parts.demand.raise(testCamera(`due-${n}`));
    expect(await jobsWithin(parts, 4999)).toBe(64);
    expect(await jobsWithin(parts, 2)).toBe(36);
  });

  it('drops a new camera that nobody waits for when its turn comes', async () => {
    const parts = demandParts();
    vi.spyOn(parts.line, 'enter').mockImplementation(async () => {
      await new Promise((resolve) => setTimeout(resolve, 16_000));
      return { end: () => {}, refuse: () => {} };
    });
    const waited = testCamera('waited-for');
    parts.presence.enter(waited);
    for (const one of [camera, waited]) parts.demand.raise(one);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(parts.add.mock.calls.map(([added]) => added)).toEqual([waited]);
  });

  it('turns new cameras away when more wait than can be called in time, not those that wait', async () => {
    const parts = demandParts();
    vi.spyOn(parts.line, 'newCameraWaitMs').mockReturnValue(18_000);
    parts.demand.raise(camera);
    expect(parts.demand.newCameraWaitMs(cameraId)).toBe(0);
    expect(parts.demand.newCameraWaitMs(testCamera('b').cameraId)).toBe(3000);
    vi.spyOn(parts.line, 'newCameraWaitMs').mockReturnValue(14_000);
    expect(parts.demand.newCameraWaitMs(testCamera('b').cameraId)).toBe(0);
  });

  it('adds no job for a camera that another process has called meanwhile', async () => {
    const parts = demandParts();
    const cameras = Array.from({ length: 65 }, (_, n) => testCamera(`due-${n}`));
    for (const one of cameras) parts.demand.raise(one);
    const [first, last] = [cameras[0], cameras[64]].map((one) => one?.cameraId ?? '');
    const started = { v: 1, kind: 'started', overMs: 15_000, queuedMs: 1 } as const;
    parts.demand.onAnnouncement({ ...started, cameraId: last ?? '' });
    expect(await jobsWithin(parts, 0)).toBe(64);
    parts.demand.onAnnouncement({ ...started, cameraId: first ?? '' });
    expect(await jobsWithin(parts, 0)).toBe(0);
  });

  it('adds no job while the time of Redis is unknown', async () => {
    const parts = demandParts();
    const { redisNowMs } = parts.fleet;
    parts.fleet.redisNowMs = () => undefined;
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 10_000)).toBe(0);
    parts.fleet.redisNowMs = redisNowMs;
    expect(await jobsWithin(parts, 1000)).toBe(1);
  });

  it('retries after a second when adding a job fails', async () => {
    const parts = demandParts();
    parts.add.mockRejectedValue(new Error('away'));
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 0)).toBe(1);
    expect(await jobsWithin(parts, 999)).toBe(0);
    expect(await jobsWithin(parts, 2)).toBe(1);
    expect(await jobsWithin(parts, 10_200)).toBe(10);
  });
});

describe('an announcement', () => {
  it.each([
    [{ kind: 'wait', reason: 'spaced', inMs: 3000 }, 3000],
    [{ kind: 'wait', reason: 'budget', inMs: 20_000 }, 20_000],
    [{ kind: 'wait', reason: 'backoff', inMs: 3_600_000 }, 60_000],
    [{ kind: 'wait', reason: 'hold', inMs: 21_000 }, 21_250],
    [{ kind: 'wait', reason: 'busy', inMs: 21_000 }, 5500],
  ] as const)('%j allows the next job after %d ms', async (body, afterMs) => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    announce(parts, body);
    // The announced wait, without the spread, the cap or a call that is about to end.
    expect(parts.demand.announcedWaitMs(cameraId)).toBe(body.reason === 'busy' ? 0 : body.inMs);
    expect(await jobsWithin(parts, afterMs - 1)).toBe(0);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
  });

  it.each(['places', 'memory'] as const)(
    'that the camera is rejected (%s) is forgotten unless demand is raised again',
    async (reason) => {
      const parts = demandParts();
      parts.demand.raise(camera);
      await jobsWithin(parts, 0);
      announce(parts, { kind: 'wait', reason, inMs: 20_000 });
      expect(parts.demand.rejection(cameraId)).toBe(reason);
      expect(await jobsWithin(parts, 120_000)).toBe(0);
      expect(parts.demand.rejection(cameraId)).toBeUndefined();
      expect(vi.getTimerCount()).toBe(0);
      parts.demand.raise(camera);
      expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
    },
  );

  it('that the camera is rejected lets an open stream retry after the wait', async () => {
    const parts = demandParts();
    const leave = parts.presence.enter(camera);
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    announce(parts, { kind: 'wait', reason: 'places', inMs: 20_000 });
    expect(await jobsWithin(parts, 19_999)).toBe(0);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
    announce(parts, { kind: 'started' });
    expect(parts.demand.rejection(cameraId)).toBeUndefined();
    leave();
  });

  it.each([
    frameBody(4000),
    { ...frameBody(4000), kind: 'unchanged' },
    { kind: 'failure', status: 502, reason: 'x', nextMs: 4000 },
  ] as const)('of kind $kind sets the time of the next job for a present viewer', async (body) => {
    const parts = demandParts();
    const leave = parts.presence.enter(camera);
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    announce(parts, body as AnnouncementBody);
    expect(await jobsWithin(parts, 3999)).toBe(0);
    expect(await jobsWithin(parts, 2)).toBe(1);
    leave();
  });

  it('of a failure can hold for longer than a minute', async () => {
    const parts = demandParts();
    const leave = parts.presence.enter(camera);
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    announce(parts, { kind: 'failure', status: 502, reason: 'x', nextMs: 3_600_000 });
    expect(await jobsWithin(parts, 3_599_999)).toBe(0);
    expect(await jobsWithin(parts, 2)).toBe(1);
    leave();
  });

  it('that a call is under way holds jobs back until it is over or announced to be', async () => {
    const parts = demandParts({ random: 0 });
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    announce(parts, { kind: 'started', overMs: 15_000 });
    // A job would be denied, and its id used up for the bucket in which the call ends.
    expect(await jobsWithin(parts, 14_999)).toBe(0);
    expect(await jobsWithin(parts, 2)).toBe(1);
    announce(parts, { kind: 'started', overMs: 15_000 });
    expect(await jobsWithin(parts, 5500)).toBe(0);
    announce(parts, frameBody(1));
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
  });

  it('that a call has started postpones the next job, and never brings it forward', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    await jobsWithin(parts, 4000);
    announce(parts, { kind: 'started' });
    expect(await jobsWithin(parts, 5499)).toBe(0);
    announce(parts, { kind: 'wait', reason: 'budget', inMs: 30_000 });
    announce(parts, { kind: 'started' });
    expect(await jobsWithin(parts, 29_999)).toBe(0);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
  });

  it('about another camera changes nothing', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.onAnnouncement({ v: 1, cameraId, kind: 'started' });
    expect(vi.getTimerCount()).toBe(0);
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    const other = testCamera('b').cameraId;
    parts.demand.onAnnouncement({
      v: 1,
      cameraId: other,
      kind: 'wait',
      reason: 'hold',
      inMs: 60_000,
    });
    expect(await jobsWithin(parts, 5501)).toBe(1);
  });
});

describe('a camera that is no longer wanted', () => {
  it.each([frameBody(4000), { kind: 'failure', status: 504, reason: 'x', nextMs: 4000 }] as const)(
    'is forgotten after the $kind, with no timer left',
    async (body) => {
      const parts = demandParts();
      parts.demand.raise(camera);
      await jobsWithin(parts, 0);
      announce(parts, body as AnnouncementBody);
      expect(await jobsWithin(parts, 60_000)).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
      expect(parts.demand.announcedWaitMs(cameraId)).toBe(0);
    },
  );

  it('keeps its demand until the announcement, although its viewer has left', async () => {
    const parts = demandParts();
    const leave = parts.presence.enter(camera);
    parts.demand.raise(camera);
    leave();
    expect(await jobsWithin(parts, 20_000)).toBe(4);
  });

  it('is forgotten after two minutes without a frame or a worker, with no timer left', async () => {
    const parts = demandParts();
    parts.fleet.closed = 'no worker is alive';
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 122_000)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    parts.fleet.closed = undefined;
    expect(await jobsWithin(parts, 10_000)).toBe(0);
  });

  it('is not forgotten while a viewer waits for it', async () => {
    const parts = demandParts();
    parts.presence.enter(camera);
    parts.demand.raise(camera);
    await jobsWithin(parts, 3_600_000);
    expect(await jobsWithin(parts, 60_000)).toBeGreaterThan(8);
  });

  it('does not come back with announcements after close()', async () => {
    const parts = demandParts();
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    parts.demand.close();
    parts.demand.raise(camera);
    announce(parts, frameBody(0));
    parts.demand.recheck();
    expect(await jobsWithin(parts, 60_000)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer when closed while a job is being added', async () => {
    const parts = demandParts();
    const added = Promise.withResolvers<void>();
    parts.add.mockImplementationOnce(() => added.promise);
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    parts.demand.close();
    added.resolve();
    await jobsWithin(parts, 0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a lost announcement', () => {
  it('is made up for by a read of the store before a second job', async () => {
    const parts = demandParts({ random: 1 });
    const leave = parts.presence.enter(camera);
    parts.demand.raise(camera);
    await jobsWithin(parts, 5000);
    expect(parts.reader.read).not.toHaveBeenCalled();
    parts.stored.held = heldFrame(camera, { startedAgoMs: 1000 });
    parts.memory.set(cameraId, parts.stored.held);
    expect(await jobsWithin(parts, 3999)).toBe(0);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
    leave();
  });

  it('is made up for although another caller read the frame just before', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    await jobsWithin(parts, 5499);
    parts.reader.read.mockImplementationOnce(async () => {
      const held = heldFrame(camera, { startedAgoMs: 1000 });
      parts.memory.set(cameraId, held);
      return { held };
    });
    expect(await jobsWithin(parts, 3900)).toBe(0);
    expect(parts.reader.read).toHaveBeenCalledOnce();
  });

  it('does not end demand when the frame in the store is stale too', async () => {
    const parts = demandParts();
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 60_000, mayBeOutdated: true }));
    parts.stored.held = heldFrame(camera, { startedAgoMs: 30_000 });
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 0)).toBe(1);
  });

  it('that still arrives during the read prevents the job', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    await jobsWithin(parts, 5000);
    const read = Promise.withResolvers<object>();
    parts.reader.read.mockImplementationOnce(() => read.promise);
    await jobsWithin(parts, 501);
    expect(parts.reader.read).toHaveBeenCalledOnce();
    announce(parts, frameBody(5000));
    read.resolve({});
    expect(await jobsWithin(parts, 4000)).toBe(0);
  });

  it('is not waited for when the store cannot be read', async () => {
    const parts = demandParts({ random: 1 });
    parts.reader.read.mockRejectedValue(new Error('away'));
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 5501)).toBe(2);
  });
});

describe('after a gap in the announcements', () => {
  it('reads the store for present viewers, and adds no job if it has a fresh frame', async () => {
    const parts = demandParts();
    const leave = parts.presence.enter(camera);
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6000 }));
    parts.demand.raise(camera);
    await jobsWithin(parts, 100);
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6100, mayBeOutdated: true }));
    parts.stored.held = heldFrame(camera, { startedAgoMs: 2000 });
    parts.demand.recheck();
    await jobsWithin(parts, 0);
    expect(parts.reader.read).toHaveBeenCalledOnce();
    parts.memory.set(cameraId, parts.stored.held);
    expect(await jobsWithin(parts, 2999)).toBe(0);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
    leave();
  });

  it('adds no job before a frame that is still current becomes stale', async () => {
    const parts = demandParts();
    const leave = parts.presence.enter(camera);
    const held = heldFrame(camera, { startedAgoMs: 1000 });
    parts.memory.set(cameraId, held);
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    markPossiblyOutdated(held);
    parts.reader.read.mockImplementation(async () => {
      markCurrent(held);
      return { held };
    });
    parts.demand.recheck();
    expect(await jobsWithin(parts, 3999)).toBe(0);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
    leave();
  });

  it('reads a frame that arrived unwatched as soon as a viewer comes', async () => {
    const parts = demandParts();
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6000 }));
    parts.demand.raise(camera);
    await jobsWithin(parts, 100);
    announce(parts, frameBody(5000));
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6100, mayBeOutdated: true }));
    parts.stored.held = heldFrame(camera, { startedAgoMs: 100 });
    parts.reader.read.mockClear();
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 0)).toBe(0);
    expect(parts.reader.read).toHaveBeenCalledOnce();
  });

  it('does not retry an unreadable store on every request', async () => {
    const parts = demandParts();
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6000, mayBeOutdated: true }));
    parts.reader.read.mockRejectedValue(new Error('away'));
    for (let times = 0; times < 100; times += 1) {
      parts.demand.raise(camera);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(parts.reader.read.mock.calls.length).toBeLessThan(8);
  });

  it('still waits for the announced time', async () => {
    const parts = demandParts();
    parts.demand.raise(camera);
    await jobsWithin(parts, 0);
    announce(parts, { kind: 'wait', reason: 'budget', inMs: 30_000 });
    parts.demand.recheck();
    expect(await jobsWithin(parts, 29_000)).toBe(0);
  });
});

describe('a watched camera', () => {
  /** Lets a frame arrive now, for a camera that was last requested so long ago. */
  const frameArrives = async (parts: DemandParts, { askedAgoMs }: { askedAgoMs: number }) => {
    const lastRequestedMonoMs = parts.clock.monoMs() - askedAgoMs;
    parts.memory.set(cameraId, heldFrame(camera, { lastRequestedMonoMs: lastRequestedMonoMs }));
    announce(parts, frameBody(5015));
    await jobsWithin(parts, 0);
  };

  it('is requested when it is due, before a viewer finds it stale', async () => {
    const parts = demandParts();
    await frameArrives(parts, { askedAgoMs: 100 });
    expect(await jobsWithin(parts, 5014)).toBe(0);
    expect(await jobsWithin(parts, 21)).toBe(1);
  });

  it('is left alone after two intervals without a request, with no timer left', async () => {
    const parts = demandParts();
    await frameArrives(parts, { askedAgoMs: 2 * INTERVAL_MS - 5000 });
    expect(await jobsWithin(parts, 60_000)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is refreshed once more after its last request, and then left alone', async () => {
    const parts = demandParts();
    await frameArrives(parts, { askedAgoMs: 0 });
    let jobs = 0;
    for (let interval = 0; interval < 10; interval += 1) {
      jobs += await jobsWithin(parts, 5030);
      const held = parts.memory.get(cameraId);
      if (held) Object.assign(held, { startedMonoMs: parts.clock.monoMs() });
      announce(parts, frameBody(5015));
    }
    expect(jobs).toBe(1);
  });

  it('is requested at once when a viewer finds it stale after it was left alone', async () => {
    const parts = demandParts();
    await frameArrives(parts, { askedAgoMs: INTERVAL_MS });
    await jobsWithin(parts, 20_000);
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 0)).toBe(1);
  });

  it('is requested together with all that are due at about the same time', async () => {
    const parts = demandParts();
    const times: number[] = [];
    parts.add.mockImplementation(async (_, redisNowMs) => void times.push(redisNowMs));
    for (let n = 0; n < 20; n += 1) {
      const one = testCamera(`due-${n}`, { intervalMs: INTERVAL_MS });
      parts.presence.enter(one);
      parts.demand.onAnnouncement({ v: 1, cameraId: one.cameraId, ...frameBody(5000 + n / 2) });
    }
    expect(await jobsWithin(parts, 5040)).toBe(20);
    expect(new Set(times).size).toBeLessThanOrEqual(2);
    for (const redisNowMs of times) expect(redisNowMs % 20).toBeLessThanOrEqual(2);
  });

  it('is ignored by a process that does not watch it', async () => {
    const parts = demandParts();
    announce(parts, frameBody(5015));
    announce(parts, { kind: 'started', overMs: 1000, askedBy: 'me' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is requested when due even if found stale within the guard of its permit', async () => {
    const parts = demandParts();
    await frameArrives(parts, { askedAgoMs: 100 });
    await jobsWithin(parts, 5003);
    parts.demand.raise(camera);
    expect(await jobsWithin(parts, 5)).toBe(0);
    expect(await jobsWithin(parts, LITTLE_MS)).toBe(1);
  });
});

describe('of several processes that watch a camera,', () => {
  /** One of several processes, after a call that `askedBy` requested. */
  const afterCall = async (askedBy: string | undefined, random: number) => {
    const parts = demandParts({ random });
    parts.presence.enter(camera);
    announce(parts, { kind: 'started', overMs: 15_000, ...(askedBy !== undefined && { askedBy }) });
    announce(parts, frameBody(1000));
    await jobsWithin(parts, 0);
    return parts;
  };

  it('the one that requested the last call requests the next', async () => {
    const parts = await afterCall('me', 1);
    expect(await jobsWithin(parts, 1010)).toBe(1);
  });

  it.each([
    [0, 1100],
    [1, 1200],
  ])('another one stands by for a moment, then steps in (random %d)', async (random, afterMs) => {
    const parts = await afterCall('another', random);
    expect(await jobsWithin(parts, afterMs - 1)).toBe(0);
    expect(await jobsWithin(parts, 21)).toBe(1);
  });

  it('another one does not step in if the start is announced in time', async () => {
    const parts = await afterCall('another', 0);
    await jobsWithin(parts, 1050);
    announce(parts, { kind: 'started', overMs: 15_000, askedBy: 'another' });
    expect(await jobsWithin(parts, 4900)).toBe(0);
  });

  it('another one waits if its timer runs just before an unread announcement', async () => {
    const parts = await afterCall('another', 0);
    vi.advanceTimersToNextTimer();
    expect(parts.clock.monoMs()).toBeGreaterThan(1000);
    announce(parts, { kind: 'started', overMs: 15_000, askedBy: 'another' });
    expect(await jobsWithin(parts, 4900)).toBe(0);
  });

  it('the one that stepped in requests the next call too', async () => {
    const parts = await afterCall('another', 1);
    await jobsWithin(parts, 1300);
    announce(parts, { kind: 'started', overMs: 15_000, askedBy: 'me' });
    announce(parts, frameBody(5015));
    expect(await jobsWithin(parts, 5026)).toBe(1);
  });

  it('each requests at once if an older worker does not say which one was last', async () => {
    const parts = await afterCall(undefined, 1);
    expect(await jobsWithin(parts, 1010)).toBe(1);
  });

  it('the others stand by longer in a busy fleet, in which calls start late', async () => {
    const parts = await afterCall('another', 0);
    for (let call = 0; call < 50; call += 1) {
      await jobsWithin(parts, 1090);
      // Even this late, no other process has stepped in.
      await jobsWithin(parts, Math.min(400, call * 20));
      announce(parts, { kind: 'started', overMs: 15_000, askedBy: 'another' });
      announce(parts, frameBody(1000));
    }
    expect(await jobsWithin(parts, 1450)).toBe(0);
    expect(await jobsWithin(parts, 200)).toBe(1);
  });

  it('the others do not stand by longer because of one that is gone', async () => {
    const parts = await afterCall('another', 0);
    for (const asker of ['b', 'c', 'd', 'e', 'f']) {
      await jobsWithin(parts, 1900);
      announce(parts, { kind: 'started', overMs: 15_000, askedBy: asker });
      announce(parts, frameBody(1000));
      await jobsWithin(parts, 0);
    }
    expect(await jobsWithin(parts, 1111)).toBe(1);
  });
});

it('demand tracks a limited number of made-up cameras, but every named one', async () => {
  const parts = demandParts();
  parts.fleet.closed = 'no worker is alive';
  for (let n = 0; n < 60_000; n += 1) {
    parts.demand.raise({ ...camera, cameraId: n.toString(16).padStart(32, '0') });
  }
  expect(vi.getTimerCount()).toBeLessThanOrEqual(50_001);
  const before = vi.getTimerCount();
  parts.demand.raise({ ...camera, cameraId: 'f'.repeat(32), name: 'gate' });
  parts.demand.raise({ ...camera, cameraId: 'e'.repeat(32) });
  expect(vi.getTimerCount() - before).toBe(0); // its check is under way
  parts.demand.close();
});

it('demand whose check fails is retried, so that its camera is not forgotten', async () => {
  const parts = demandParts();
  vi.spyOn(parts.fleet, 'whyCannotCall').mockImplementationOnce(() => {
    throw new Error('broken');
  });
  parts.demand.raise(camera);
  expect(await jobsWithin(parts, 0)).toBe(0);
  expect(await jobsWithin(parts, 2000)).toBe(1);
});
