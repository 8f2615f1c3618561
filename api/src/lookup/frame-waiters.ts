import type { Camera } from '@lastframe/shared/cameras/camera';
import { createFairLimiter } from '@lastframe/shared/http/fair-limiter';
import {
  type Announcement,
  type Failure,
  isRejection,
  type Rejection,
} from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import type { FrameReader } from '../cache/frame-reader.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import type { Presence } from '../demand/presence.ts';

/** How a wait for the first frame of a camera ended. */
export type WaitEnd =
  | { end: 'frame'; held: HeldFrame; joined: boolean }
  | { end: 'failure'; failure: Failure }
  /** The fleet cannot call within the time left. */
  | { end: 'wait'; inMs: number; rejection?: Rejection | undefined }
  | { end: 'timeout' }
  | { end: 'full' };

/** How a wait for a frame that is new to the viewer ended. */
export type NextEnd = Extract<WaitEnd, { end: 'frame' | 'timeout' | 'full' }>;

/**
 * Requests that wait for the first or the next frame of a camera. Those for one camera share its
 * polls of the store.
 */
export interface FrameWaiters {
  wait(camera: Camera, timeoutMs: number, signal: AbortSignal, client: string): Promise<WaitEnd>;
  /**
   * Waits for a frame that is new to the viewer, whatever fails meanwhile. Such waits start only
   * while half of the slots are free: those are for viewers that have no frame at all.
   */
  waitForNext(
    camera: Camera,
    timeoutMs: number,
    signal: AbortSignal,
    client: string,
    isNew: (held: HeldFrame) => boolean,
  ): Promise<NextEnd>;
  /** Ends the waits that this frame satisfies. */
  wake(held: HeldFrame): void;
  /** Ends waits when a failure or a wait is announced; frames end them through `wake`. */
  onAnnouncement(announcement: Announcement): void;
  waiting(): number;
  close(): void;
}

export interface FrameWaitersDeps {
  clock: Clock;
  presence: Presence;
  reader: FrameReader;
  maxWaiters: number;
}

interface Waiter {
  untilMonoMs: number;
  joined: boolean;
  /** Undefined: any frame will do, and a failure or an announced wait ends the wait. */
  isNew: ((held: HeldFrame) => boolean) | undefined;
  settle: (end: WaitEnd) => void;
}

/** Finds a frame in the store if its announcement was lost. */
const POLL_MS = 1000;
/** More polls, in a crowd of cold cameras, would delay the frames themselves. */
const MAX_POLLS_PER_SECOND = 200;

export function createFrameWaiters(deps: FrameWaitersDeps): FrameWaiters {
  const { clock, presence, reader, maxWaiters } = deps;
  const waiters = new Map<string, { all: Set<Waiter>; poll: NodeJS.Timeout }>();
  const limiter = createFairLimiter(maxWaiters);

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
    // If there is a frame, it wakes the waiters, as every read does.
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
    const release = limiter.take(client);
    const leaveViewers = presence.enter(camera);
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
    const isFull = isNew !== undefined && limiter.taken() >= Math.ceil(maxWaiters / 2);
    if (isFull || limiter.limitReached(client)) return Promise.resolve({ end: 'full' });
    const { promise, resolve } = Promise.withResolvers<WaitEnd>();
    const joined = waiters.has(camera.cameraId);
    const waiter = { untilMonoMs: clock.monoMs() + timeoutMs, joined, isNew, settle: resolve };
    const leave = enter(camera, waiter, client);
    const giveUp = () => resolve({ end: 'timeout' });
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp(); // already aborted: no event follows
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
        // `busy` carries the permit's maximum lifetime; the call ends and is announced long before.
        const { inMs, reason } = announcement;
        const rejection = isRejection(reason) ? reason : undefined;
        settleAll(cameraId, ({ untilMonoMs, isNew }) => {
          const isTooLong = rejection || clock.monoMs() + inMs > untilMonoMs;
          return !isNew && isTooLong ? { end: 'wait', inMs, rejection } : undefined;
        });
      }
    },
    waiting: limiter.taken,
    close: () => {
      for (const cameraId of [...waiters.keys()]) settleAll(cameraId, () => ({ end: 'timeout' }));
    },
  };
}
