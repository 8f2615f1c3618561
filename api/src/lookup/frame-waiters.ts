import type { Camera } from '@lastframe/shared/cameras/camera';
import { createFairPlaces } from '@lastframe/shared/http/fair-places';
import type { Announcement, Failure } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import type { FrameReader } from '../cache/frame-reader.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import type { Presence } from '../demand/presence.ts';
import { isRefusal, type Refusal } from '../demand/refresh-schedule.ts';

/** How a wait for the first frame of a camera ended. */
export type WaitEnd =
  | { end: 'frame'; held: HeldFrame; joined: boolean }
  | { end: 'failure'; failure: Failure }
  /** The fleet can't call within the time left. */
  | { end: 'wait'; inMs: number; refusal?: Refusal }
  | { end: 'timeout' }
  | { end: 'full' };

/** How a wait for another frame than the viewer has ended. */
export type NextEnd = Extract<WaitEnd, { end: 'frame' | 'timeout' | 'full' }>;

/**
 * The requests that wait: for the first frame of a camera, or for the next one. All who wait for one
 * camera share one look at the store.
 */
export interface FrameWaiters {
  wait(camera: Camera, timeoutMs: number, signal: AbortSignal, client: string): Promise<WaitEnd>;
  /**
   * Waits for a frame that is new to the viewer, whatever fails meanwhile: he has one, and takes only
   * the first half of the places from those who have none.
   */
  waitForNext(
    camera: Camera,
    timeoutMs: number,
    signal: AbortSignal,
    client: string,
    isNew: (held: HeldFrame) => boolean,
  ): Promise<NextEnd>;
  /** A frame is in memory now. */
  wake(held: HeldFrame): void;
  /** Failures and waits end a wait; frames end it by `wake`. */
  onAnnouncement(announcement: Announcement): void;
  waiting(): number;
  close(): void;
}

export interface FrameWaitersDeps {
  clock: Clock;
  viewers: Presence;
  reader: FrameReader;
  maxWaiters: number;
}

interface Waiter {
  untilMonoMs: number;
  joined: boolean;
  /** Undefined: any frame will do, and news that there will be none ends the wait. */
  isNew: ((held: HeldFrame) => boolean) | undefined;
  settle: (end: WaitEnd) => void;
}

/** Should the announcement be lost, the frame is found in the store. */
const POLL_MS = 1000;
/** So many looks a second at most: in a crowd of cold cameras they would keep their frames from coming. */
const MAX_POLLS_PER_SECOND = 200;

export function createFrameWaiters(deps: FrameWaitersDeps): FrameWaiters {
  const { clock, viewers, reader, maxWaiters } = deps;
  const waiters = new Map<string, { all: Set<Waiter>; poll: NodeJS.Timeout }>();
  const places = createFairPlaces(maxWaiters);

  const settleAll = (cameraId: string, endOf: (waiter: Waiter) => WaitEnd | undefined) => {
    for (const waiter of [...(waiters.get(cameraId)?.all ?? [])]) {
      const end = endOf(waiter);
      if (end) waiter.settle(end);
    }
  };
  const wake = (held: HeldFrame) =>
    settleAll(held.cameraId, ({ joined, isNew }) =>
      isNew === undefined || isNew(held) ? { end: 'frame', held, joined } : undefined,
    );
  const fail = (cameraId: string, failure: Failure) =>
    settleAll(cameraId, ({ isNew }) => (isNew ? undefined : { end: 'failure', failure }));
  const poll = async (camera: Camera) => {
    // A frame wakes them as every read does.
    const { held, failure } = await reader.read(camera);
    if (!held && failure) fail(camera.cameraId, failure);
  };
  const pollLater = (camera: Camera): NodeJS.Timeout => {
    const afterMs = Math.max(POLL_MS, (1000 * waiters.size) / MAX_POLLS_PER_SECOND);
    return setTimeout(() => {
      void poll(camera).catch(() => {});
      const group = waiters.get(camera.cameraId);
      if (group) group.poll = pollLater(camera);
    }, afterMs);
  };
  const enter = (camera: Camera, waiter: Waiter, client: string) => {
    const { cameraId } = camera;
    const group = waiters.get(cameraId) ?? { all: new Set<Waiter>(), poll: pollLater(camera) };
    waiters.set(cameraId, group);
    group.all.add(waiter);
    const release = places.take(client);
    const leaveViewers = viewers.enter(camera);
    return () => {
      leaveViewers();
      release();
      group.all.delete(waiter);
      if (group.all.size > 0) return;
      clearTimeout(group.poll);
      waiters.delete(cameraId);
    };
  };

  const wait = (
    camera: Camera,
    timeoutMs: number,
    signal: AbortSignal,
    client: string,
    isNew?: Waiter['isNew'],
  ): Promise<WaitEnd> => {
    const isFull = isNew !== undefined && places.taken() >= Math.ceil(maxWaiters / 2);
    if (isFull || places.fullFor(client)) return Promise.resolve({ end: 'full' });
    const { promise, resolve } = Promise.withResolvers<WaitEnd>();
    const joined = waiters.has(camera.cameraId);
    const waiter = { untilMonoMs: clock.monoMs() + timeoutMs, joined, isNew, settle: resolve };
    const leave = enter(camera, waiter, client);
    const giveUp = () => resolve({ end: 'timeout' });
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp(); // and no event comes any more
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      leave();
    });
  };

  return {
    wait: (camera, timeoutMs, signal, client) => wait(camera, timeoutMs, signal, client),
    // Neither failures nor waits for a permit end it.
    waitForNext: (...args) => wait(...args) as Promise<NextEnd>,
    wake,
    onAnnouncement: (announcement) => {
      const { cameraId, kind } = announcement;
      if (kind === 'failure') {
        fail(cameraId, announcement);
      } else if (kind === 'wait' && announcement.reason !== 'busy') {
        // Busy tells how long the permit lives at most; its call ends, and tells, long before.
        const { inMs, reason } = announcement;
        if (isRefusal(reason)) {
          const end = { end: 'wait', inMs, refusal: reason } as const;
          settleAll(cameraId, ({ isNew }) => (isNew ? undefined : end));
          return;
        }
        settleAll(cameraId, ({ untilMonoMs, isNew }) =>
          !isNew && clock.monoMs() + inMs > untilMonoMs ? { end: 'wait', inMs } : undefined,
        );
      }
    },
    waiting: places.taken,
    close: () => {
      for (const cameraId of [...waiters.keys()]) settleAll(cameraId, () => ({ end: 'timeout' }));
    },
  };
}
