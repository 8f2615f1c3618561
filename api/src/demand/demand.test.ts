import type { Announcement } from '@lastframe/shared/messages/announcement';
import { bucketMsOf } from '@lastframe/shared/messages/refresh-job';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { markCurrent, markOutdated } from '../cache/held-frame.ts';
import { heldFrame, testParts } from '../test-support/parts.ts';
import { createDemand } from './demand.ts';

const INTERVAL_MS = 5000;
const camera = testCamera('a', { intervalMs: INTERVAL_MS });
const { cameraId } = camera;
/** The guard of a permit above its interval, and what is asked for at once with what is due a little later. */
const LITTLE_MS = 40;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

/** What `add` was asked, by its bucket; `random` is the latest that a process asks again. */
function demandParts({ random = 1 } = {}) {
  const parts = testParts();
  const add = vi.fn(async (_camera: unknown, _redisNowMs: number) => {});
  const demand = createDemand({ ...parts, queue: { add }, random: () => random, askerId: 'me' });
  const buckets = () =>
    add.mock.calls.map(([, redisNowMs]) => Math.floor(redisNowMs / bucketMsOf(INTERVAL_MS)));
  return { ...parts, add, demand, buckets };
}

type Parts = ReturnType<typeof demandParts>;
type Told = Announcement extends infer A ? (A extends unknown ? Omit<A, 'v' | 'cameraId'> : 0) : 0;

const tell = ({ demand }: Parts, told: Told) =>
  demand.onAnnouncement({ v: 1, cameraId, ...told } as Announcement);

const frameNews = (nextMs: number) =>
  ({ kind: 'frame', etag: '"x"', startedAgoMs: 0, capturedAgoMs: 0, nextMs }) as const;

/** Lets time pass and gives how many jobs were asked for since the last look. */
async function asksWithin({ add }: Parts, ms: number): Promise<number> {
  await vi.advanceTimersByTimeAsync(ms);
  const asks = add.mock.calls.length;
  add.mockClear();
  return asks;
}

describe('demand', () => {
  it('becomes a job at once, however often it is raised', async () => {
    const parts = demandParts();
    for (let times = 0; times < 100; times += 1) parts.demand.raise(camera);
    expect(await asksWithin(parts, 0)).toBe(1);
  });

  it.each([0, 0.5, 1])(
    'is at most one job a bucket, raised all the time (random %d)',
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

  it('is asked for again 1.1 buckets later at the latest, while it is wanted', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 0)).toBe(1);
    expect(await asksWithin(parts, 5499)).toBe(0);
    expect(await asksWithin(parts, 2)).toBe(1);
    expect(await asksWithin(parts, 55_500)).toBe(10);
  });

  it('of a camera with an hour between calls is asked for again after seconds', async () => {
    const parts = demandParts();
    parts.demand.raise(testCamera('slow', { intervalMs: 3_600_000 }));
    expect(await asksWithin(parts, 5501)).toBe(2);
  });

  it('of one camera does not wait for that of another', async () => {
    const parts = demandParts();
    parts.demand.raise(camera);
    parts.demand.raise(testCamera('b'));
    expect(await asksWithin(parts, 0)).toBe(2);
  });

  it('asks for nothing while the frame in memory is fresh, and then if somebody is there', async () => {
    const parts = demandParts();
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 1000 }));
    const leave = parts.viewers.enter(camera);
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 3999)).toBe(0);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
    leave();
  });

  it('is not lost when it is raised while a job is being asked for', async () => {
    const parts = demandParts();
    const added = Promise.withResolvers<void>();
    parts.add.mockImplementationOnce(() => added.promise);
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    tell(parts, frameNews(3000));
    parts.demand.raise(camera);
    added.resolve();
    expect(await asksWithin(parts, 2999)).toBe(0);
    expect(await asksWithin(parts, 2)).toBe(1);
  });

  it('is not lost when it is raised in the moment in which nobody wants the camera', async () => {
    const parts = demandParts();
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    tell(parts, frameNews(1000));
    vi.advanceTimersByTime(1001); // the ask ends now; what it found is heard in the next microtask
    parts.demand.raise(camera);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
  });
});

describe('while nothing can be asked for', () => {
  it('no job is added without a worker, and within a second after one is there', async () => {
    const parts = demandParts();
    parts.fleet.closed = 'no worker is alive';
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 60_000)).toBe(0);
    parts.fleet.closed = undefined;
    expect(await asksWithin(parts, 1000)).toBe(1);
  });

  it('no second job is added while jobs pile up, and one within a second after they are fewer', async () => {
    const parts = demandParts();
    parts.fleet.behind = true;
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 60_000)).toBe(1);
    parts.fleet.behind = false;
    expect(await asksWithin(parts, 1000)).toBe(1);
  });

  it.each([
    ['was denied', { kind: 'wait', reason: 'budget', inMs: 100 }],
    ['failed', undefined],
  ] as const)('another job is added while jobs pile up when the last one %s', async (_, news) => {
    const parts = demandParts();
    parts.fleet.behind = true;
    if (!news) parts.add.mockRejectedValueOnce(new Error('away'));
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 0)).toBe(1);
    if (news) tell(parts, news);
    expect(await asksWithin(parts, 7000)).toBe(1);
  });

  it('another job is added while jobs pile up when the last one must have been dropped', async () => {
    const parts = demandParts();
    parts.fleet.behind = true;
    const leave = parts.viewers.enter(camera);
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 72_000)).toBe(2);
    leave();
  });

  it('the store is seldom read while jobs pile up, or the reads would keep them from being done', async () => {
    const parts = demandParts();
    parts.fleet.behind = true;
    parts.demand.raise(camera);
    await asksWithin(parts, 60_000);
    expect(parts.reader.read.mock.calls.length).toBeLessThanOrEqual(4);
    expect(parts.reader.read.mock.calls.length).toBeGreaterThanOrEqual(3);
  });

  it('no job is added while the time of Redis is unknown', async () => {
    const parts = demandParts();
    const { redisNowMs } = parts.fleet;
    parts.fleet.redisNowMs = () => undefined;
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 10_000)).toBe(0);
    parts.fleet.redisNowMs = redisNowMs;
    expect(await asksWithin(parts, 1000)).toBe(1);
  });

  it('a job that could not be added is tried again after a second', async () => {
    const parts = demandParts();
    parts.add.mockRejectedValue(new Error('away'));
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 0)).toBe(1);
    expect(await asksWithin(parts, 999)).toBe(0);
    expect(await asksWithin(parts, 2)).toBe(1);
    expect(await asksWithin(parts, 10_200)).toBe(10);
  });
});

describe('an announcement', () => {
  it.each([
    [{ kind: 'wait', reason: 'spaced', inMs: 3000 }, 3000],
    [{ kind: 'wait', reason: 'budget', inMs: 20_000 }, 20_000],
    [{ kind: 'wait', reason: 'backoff', inMs: 3_600_000 }, 60_000],
    [{ kind: 'wait', reason: 'hold', inMs: 21_000 }, 21_250],
    [{ kind: 'wait', reason: 'busy', inMs: 21_000 }, 5500],
  ] as const)('%j lets it ask again after %d ms', async (told, afterMs) => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    tell(parts, told);
    // What was told, for whoever waits; not the spread, the cap or a call that is about to end.
    expect(parts.demand.announcedWaitMs(cameraId)).toBe(told.reason === 'busy' ? 0 : told.inMs);
    expect(await asksWithin(parts, afterMs - 1)).toBe(0);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
  });

  it.each(['places', 'memory'] as const)(
    'that the camera is refused (%s) is forgotten unless somebody asks again',
    async (reason) => {
      const parts = demandParts();
      parts.demand.raise(camera);
      await asksWithin(parts, 0);
      tell(parts, { kind: 'wait', reason, inMs: 20_000 });
      expect(parts.demand.refusal(cameraId)).toBe(reason);
      expect(await asksWithin(parts, 120_000)).toBe(0);
      expect(parts.demand.refusal(cameraId)).toBeUndefined();
      expect(vi.getTimerCount()).toBe(0);
      parts.demand.raise(camera);
      expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
    },
  );

  it('that the camera is refused lets a stream that stays open ask again when it is time', async () => {
    const parts = demandParts();
    const leave = parts.viewers.enter(camera);
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    tell(parts, { kind: 'wait', reason: 'places', inMs: 20_000 });
    expect(await asksWithin(parts, 19_999)).toBe(0);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
    tell(parts, { kind: 'started' });
    expect(parts.demand.refusal(cameraId)).toBeUndefined();
    leave();
  });

  it.each([
    frameNews(4000),
    { ...frameNews(4000), kind: 'unchanged' },
    { kind: 'failure', status: 502, reason: 'x', nextMs: 4000 },
  ] as const)('of kind $kind says when it is time for who still looks', async (told) => {
    const parts = demandParts();
    const leave = parts.viewers.enter(camera);
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    tell(parts, told as Told);
    expect(await asksWithin(parts, 3999)).toBe(0);
    expect(await asksWithin(parts, 2)).toBe(1);
    leave();
  });

  it('of a failure holds for longer than a minute, where it says so', async () => {
    const parts = demandParts();
    const leave = parts.viewers.enter(camera);
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    tell(parts, { kind: 'failure', status: 502, reason: 'x', nextMs: 3_600_000 });
    expect(await asksWithin(parts, 3_599_999)).toBe(0);
    expect(await asksWithin(parts, 2)).toBe(1);
    leave();
  });

  it('that a call is under way lets nobody ask before it is over, or its end is told', async () => {
    const parts = demandParts({ random: 0 });
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    tell(parts, { kind: 'started', overMs: 15_000 });
    // Its job would be denied, and its id be spent for the bucket in which the call ends.
    expect(await asksWithin(parts, 14_999)).toBe(0);
    expect(await asksWithin(parts, 2)).toBe(1);
    tell(parts, { kind: 'started', overMs: 15_000 });
    expect(await asksWithin(parts, 5500)).toBe(0);
    tell(parts, frameNews(1));
    parts.demand.raise(camera);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
  });

  it('that a call was started postpones the next job, and never brings it forward', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    await asksWithin(parts, 4000);
    tell(parts, { kind: 'started' });
    expect(await asksWithin(parts, 5499)).toBe(0);
    tell(parts, { kind: 'wait', reason: 'budget', inMs: 30_000 });
    tell(parts, { kind: 'started' });
    expect(await asksWithin(parts, 29_999)).toBe(0);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
  });

  it('about another camera changes nothing', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.onAnnouncement({ v: 1, cameraId, kind: 'started' });
    expect(vi.getTimerCount()).toBe(0);
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    const other = testCamera('b').cameraId;
    parts.demand.onAnnouncement({
      v: 1,
      cameraId: other,
      kind: 'wait',
      reason: 'hold',
      inMs: 60_000,
    });
    expect(await asksWithin(parts, 5501)).toBe(1);
  });
});

describe('a camera that nobody wants any more', () => {
  it.each([frameNews(4000), { kind: 'failure', status: 504, reason: 'x', nextMs: 4000 }] as const)(
    'is forgotten after the $kind, with no timer left',
    async (told) => {
      const parts = demandParts();
      parts.demand.raise(camera);
      await asksWithin(parts, 0);
      tell(parts, told as Told);
      expect(await asksWithin(parts, 60_000)).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
      expect(parts.demand.announcedWaitMs(cameraId)).toBe(0);
    },
  );

  it('is wanted until the news, although the viewer who asked has left', async () => {
    const parts = demandParts();
    const leave = parts.viewers.enter(camera);
    parts.demand.raise(camera);
    leave();
    expect(await asksWithin(parts, 20_000)).toBe(4);
  });

  it('is forgotten after two minutes without a frame or a worker, with no timer left', async () => {
    const parts = demandParts();
    parts.fleet.closed = 'no worker is alive';
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 122_000)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    parts.fleet.closed = undefined;
    expect(await asksWithin(parts, 10_000)).toBe(0);
  });

  it('is not forgotten while somebody waits for it', async () => {
    const parts = demandParts();
    parts.viewers.enter(camera);
    parts.demand.raise(camera);
    await asksWithin(parts, 3_600_000);
    expect(await asksWithin(parts, 60_000)).toBeGreaterThan(8);
  });

  it('does not come back with announcements after the close', async () => {
    const parts = demandParts();
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    parts.demand.close();
    parts.demand.raise(camera);
    tell(parts, frameNews(0));
    parts.demand.recheck();
    expect(await asksWithin(parts, 60_000)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer when the close comes while a job is being asked for', async () => {
    const parts = demandParts();
    const added = Promise.withResolvers<void>();
    parts.add.mockImplementationOnce(() => added.promise);
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    parts.demand.close();
    added.resolve();
    await asksWithin(parts, 0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('news that got lost', () => {
  it('are found in the store at the second ask, before another job', async () => {
    const parts = demandParts({ random: 1 });
    const leave = parts.viewers.enter(camera);
    parts.demand.raise(camera);
    await asksWithin(parts, 5000);
    expect(parts.reader.read).not.toHaveBeenCalled();
    parts.stored.held = heldFrame(camera, { startedAgoMs: 1000 });
    parts.memory.set(cameraId, parts.stored.held);
    expect(await asksWithin(parts, 3999)).toBe(0);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
    leave();
  });

  it('are found although somebody else has read them a moment before', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    await asksWithin(parts, 5499);
    parts.reader.read.mockImplementationOnce(async () => {
      const held = heldFrame(camera, { startedAgoMs: 1000 });
      parts.memory.set(cameraId, held);
      return { held };
    });
    expect(await asksWithin(parts, 3900)).toBe(0);
    expect(parts.reader.read).toHaveBeenCalledOnce();
  });

  it('are no reason to forget demand when the frame that is found is stale too', async () => {
    const parts = demandParts();
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 60_000, mayBeOutdated: true }));
    parts.stored.held = heldFrame(camera, { startedAgoMs: 30_000 });
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 0)).toBe(1);
  });

  it('that come while the store is read are not answered with a job', async () => {
    const parts = demandParts({ random: 1 });
    parts.demand.raise(camera);
    await asksWithin(parts, 5000);
    const read = Promise.withResolvers<object>();
    parts.reader.read.mockImplementationOnce(() => read.promise);
    await asksWithin(parts, 501);
    expect(parts.reader.read).toHaveBeenCalledOnce();
    tell(parts, frameNews(5000));
    read.resolve({});
    expect(await asksWithin(parts, 4000)).toBe(0);
  });

  it('are not waited for when the store can not be read', async () => {
    const parts = demandParts({ random: 1 });
    parts.reader.read.mockRejectedValue(new Error('away'));
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 5501)).toBe(2);
  });
});

describe('after a gap in the announcements', () => {
  it('the store is read for who looks, and a fresh frame in it asks for no job', async () => {
    const parts = demandParts();
    const leave = parts.viewers.enter(camera);
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6000 }));
    parts.demand.raise(camera);
    await asksWithin(parts, 100);
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6100, mayBeOutdated: true }));
    parts.stored.held = heldFrame(camera, { startedAgoMs: 2000 });
    parts.demand.recheck();
    await asksWithin(parts, 0);
    expect(parts.reader.read).toHaveBeenCalledOnce();
    parts.memory.set(cameraId, parts.stored.held);
    expect(await asksWithin(parts, 2999)).toBe(0);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
    leave();
  });

  it('a frame that is still the last one asks for no job before it is stale', async () => {
    const parts = demandParts();
    const leave = parts.viewers.enter(camera);
    const held = heldFrame(camera, { startedAgoMs: 1000 });
    parts.memory.set(cameraId, held);
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    markOutdated(held);
    parts.reader.read.mockImplementation(async () => {
      markCurrent(held);
      return { held };
    });
    parts.demand.recheck();
    expect(await asksWithin(parts, 3999)).toBe(0);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
    leave();
  });

  it('a frame that came while nobody watched is read as soon as somebody comes', async () => {
    const parts = demandParts();
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6000 }));
    parts.demand.raise(camera);
    await asksWithin(parts, 100);
    tell(parts, frameNews(5000));
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6100, mayBeOutdated: true }));
    parts.stored.held = heldFrame(camera, { startedAgoMs: 100 });
    parts.reader.read.mockClear();
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 0)).toBe(0);
    expect(parts.reader.read).toHaveBeenCalledOnce();
  });

  it('a store that can not be read is not asked by every request', async () => {
    const parts = demandParts();
    parts.memory.set(cameraId, heldFrame(camera, { startedAgoMs: 6000, mayBeOutdated: true }));
    parts.reader.read.mockRejectedValue(new Error('away'));
    for (let times = 0; times < 100; times += 1) {
      parts.demand.raise(camera);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(parts.reader.read.mock.calls.length).toBeLessThan(8);
  });

  it('the time that was told is waited for all the same', async () => {
    const parts = demandParts();
    parts.demand.raise(camera);
    await asksWithin(parts, 0);
    tell(parts, { kind: 'wait', reason: 'budget', inMs: 30_000 });
    parts.demand.recheck();
    expect(await asksWithin(parts, 29_000)).toBe(0);
  });
});

describe('a camera that is watched', () => {
  /** A frame that came just now, of which a viewer was told so long ago. */
  const frameCame = async (parts: Parts, { askedAgoMs }: { askedAgoMs: number }) => {
    const lastAskedMonoMs = parts.clock.monoMs() - askedAgoMs;
    parts.memory.set(cameraId, heldFrame(camera, { lastAskedMonoMs }));
    tell(parts, frameNews(5015));
    await asksWithin(parts, 0);
  };

  it('is asked for when it is due, before anybody finds it stale', async () => {
    const parts = demandParts();
    await frameCame(parts, { askedAgoMs: 100 });
    expect(await asksWithin(parts, 5014)).toBe(0);
    expect(await asksWithin(parts, 21)).toBe(1);
  });

  it('is left alone when nobody has asked for it in two intervals, with no timer left', async () => {
    const parts = demandParts();
    await frameCame(parts, { askedAgoMs: 2 * INTERVAL_MS - 5000 });
    expect(await asksWithin(parts, 60_000)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is asked for once more after its last request, and then left alone', async () => {
    const parts = demandParts();
    await frameCame(parts, { askedAgoMs: 0 });
    let asks = 0;
    for (let interval = 0; interval < 10; interval += 1) {
      asks += await asksWithin(parts, 5030);
      const held = parts.memory.get(cameraId);
      if (held) Object.assign(held, { startedMonoMs: parts.clock.monoMs() });
      tell(parts, frameNews(5015));
    }
    expect(asks).toBe(1);
  });

  it('is asked for at once by a viewer who finds it stale after it was left alone', async () => {
    const parts = demandParts();
    await frameCame(parts, { askedAgoMs: INTERVAL_MS });
    await asksWithin(parts, 20_000);
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 0)).toBe(1);
  });

  it('is asked for together with what is due at about the same time, in every process', async () => {
    const parts = demandParts();
    const times: number[] = [];
    parts.add.mockImplementation(async (_, redisNowMs) => void times.push(redisNowMs));
    for (let n = 0; n < 20; n += 1) {
      const one = testCamera(`due-${n}`, { intervalMs: INTERVAL_MS });
      parts.viewers.enter(one);
      parts.demand.onAnnouncement({ v: 1, cameraId: one.cameraId, ...frameNews(5000 + n / 2) });
    }
    expect(await asksWithin(parts, 5040)).toBe(20);
    expect(new Set(times).size).toBeLessThanOrEqual(2);
    for (const redisNowMs of times) expect(redisNowMs % 20).toBeLessThanOrEqual(2);
  });

  it('is no concern of a process in which nobody watches it', async () => {
    const parts = demandParts();
    tell(parts, frameNews(5015));
    tell(parts, { kind: 'started', overMs: 1000, askedBy: 'me' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is asked for when it is due also if a viewer finds it stale in the guard of its permit', async () => {
    const parts = demandParts();
    await frameCame(parts, { askedAgoMs: 100 });
    await asksWithin(parts, 5003);
    parts.demand.raise(camera);
    expect(await asksWithin(parts, 5)).toBe(0);
    expect(await asksWithin(parts, LITTLE_MS)).toBe(1);
  });
});

describe('of several processes that watch a camera', () => {
  /** A process among others, after a call for which one of them has asked. */
  const afterCall = async (askedBy: string | undefined, random: number) => {
    const parts = demandParts({ random });
    parts.viewers.enter(camera);
    tell(parts, { kind: 'started', overMs: 15_000, ...(askedBy !== undefined && { askedBy }) });
    tell(parts, frameNews(1000));
    await asksWithin(parts, 0);
    return parts;
  };

  it('the one that asked for the last call asks for the next', async () => {
    const parts = await afterCall('me', 1);
    expect(await asksWithin(parts, 1010)).toBe(1);
  });

  it.each([
    [0, 1100],
    [1, 1200],
  ])('another one stands by for a moment, and then asks (random %d)', async (random, afterMs) => {
    const parts = await afterCall('another', random);
    expect(await asksWithin(parts, afterMs - 1)).toBe(0);
    expect(await asksWithin(parts, 21)).toBe(1);
  });

  it('nobody asks who hears in time that the call has started', async () => {
    const parts = await afterCall('another', 0);
    await asksWithin(parts, 1050);
    tell(parts, { kind: 'started', overMs: 15_000, askedBy: 'another' });
    expect(await asksWithin(parts, 4900)).toBe(0);
  });

  it('nobody asks whose timer comes before the news that it waited for, as after a pause', async () => {
    const parts = await afterCall('another', 0);
    vi.advanceTimersToNextTimer();
    expect(parts.clock.monoMs()).toBeGreaterThan(1000);
    tell(parts, { kind: 'started', overMs: 15_000, askedBy: 'another' });
    expect(await asksWithin(parts, 4900)).toBe(0);
  });

  it('who had to ask instead of another one asks for the next', async () => {
    const parts = await afterCall('another', 1);
    await asksWithin(parts, 1300);
    tell(parts, { kind: 'started', overMs: 15_000, askedBy: 'me' });
    tell(parts, frameNews(5015));
    expect(await asksWithin(parts, 5026)).toBe(1);
  });

  it('each asks at once when nobody says who asked, as an older worker', async () => {
    const parts = await afterCall(undefined, 1);
    expect(await asksWithin(parts, 1010)).toBe(1);
  });

  it('in a busy fleet, in which calls start late, the others stand by for longer', async () => {
    const parts = await afterCall('another', 0);
    for (let call = 0; call < 50; call += 1) {
      await asksWithin(parts, 1090);
      // As late as this, nobody else has asked.
      await asksWithin(parts, Math.min(400, call * 20));
      tell(parts, { kind: 'started', overMs: 15_000, askedBy: 'another' });
      tell(parts, frameNews(1000));
    }
    expect(await asksWithin(parts, 1450)).toBe(0);
    expect(await asksWithin(parts, 200)).toBe(1);
  });

  it('standing by for one that is gone does not make the next wait longer', async () => {
    const parts = await afterCall('another', 0);
    for (const asker of ['b', 'c', 'd', 'e', 'f']) {
      await asksWithin(parts, 1900);
      tell(parts, { kind: 'started', overMs: 15_000, askedBy: asker });
      tell(parts, frameNews(1000));
      await asksWithin(parts, 0);
    }
    expect(await asksWithin(parts, 1111)).toBe(1);
  });
});

it('cameras that are made up are not kept in mind without bound, and named ones always are', async () => {
  const parts = demandParts();
  parts.fleet.closed = 'no worker is alive';
  for (let n = 0; n < 60_000; n += 1) {
    parts.demand.raise({ ...camera, cameraId: n.toString(16).padStart(32, '0') });
  }
  expect(vi.getTimerCount()).toBeLessThanOrEqual(50_001);
  const before = vi.getTimerCount();
  parts.demand.raise({ ...camera, cameraId: 'f'.repeat(32), name: 'gate' });
  parts.demand.raise({ ...camera, cameraId: 'e'.repeat(32) });
  expect(vi.getTimerCount() - before).toBe(0); // being asked about now
  parts.demand.close();
});

it('that fails once is raised again, so that its camera is not forgotten', async () => {
  const parts = demandParts();
  vi.spyOn(parts.fleet, 'closedBecause').mockImplementationOnce(() => {
    throw new Error('broken');
  });
  parts.demand.raise(camera);
  expect(await asksWithin(parts, 0)).toBe(0);
  expect(await asksWithin(parts, 2000)).toBe(1);
});
