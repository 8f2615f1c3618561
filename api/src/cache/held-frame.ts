import type { Camera } from '@lastframe/shared/cameras/camera';
import { type Frame, freshnessOf } from '@lastframe/shared/frames/frame';

/**
 * A frame in the memory of this process. Only the functions in this file change one. Times in
 * `MonoMs` are milliseconds of the local monotonic clock.
 */
export interface HeldFrame extends Readonly<Frame> {
  /** With the rules in force when it was last used. */
  readonly camera: Camera;
  readonly startedMonoMs: number;
  readonly capturedMonoMs: number;
  /** Announcements may have been missed since: Redis may have a newer frame. */
  readonly mayBeOutdated: boolean;
  readonly lastAskedMonoMs: number;
}

type Writable = { -readonly [Field in keyof HeldFrame]: HeldFrame[Field] };

/** A client asked for it. */
export function touch(held: HeldFrame, nowMonoMs: number, camera = held.camera): void {
  const writable: Writable = held;
  writable.lastAskedMonoMs = nowMonoMs;
  writable.camera = camera;
}

/** What a later call says about a frame whose bytes it left unchanged. */
export type Renewal = Pick<HeldFrame, 'camera' | 'startedMonoMs' | 'capturedMonoMs'> &
  Partial<Pick<HeldFrame, 'startedAtMs' | 'capturedAtMs' | 'changedAtMs' | 'dimensions'>>;

/** The camera sent the same bytes again. */
export function renew(held: HeldFrame, renewal: Renewal): void {
  Object.assign(held, renewal);
}

/** Redis may have a newer frame. */
export function markOutdated(held: HeldFrame): void {
  setOutdated(held, true);
}

/** Redis was read, and has no newer frame. */
export function markCurrent(held: HeldFrame): void {
  setOutdated(held, false);
}

function setOutdated(writable: Writable, mayBeOutdated: boolean): void {
  writable.mayBeOutdated = mayBeOutdated;
}

/** Makes it due, as if its call had begun an interval ago. The age that clients see stays true. */
export function makeStale(held: HeldFrame, nowMonoMs: number): void {
  const writable: Writable = held;
  const { intervalMs } = held.camera.source;
  writable.startedMonoMs = Math.min(held.startedMonoMs, nowMonoMs - intervalMs);
}

/** It is not due yet. */
export function isFresh({ startedMonoMs, camera }: HeldFrame, nowMonoMs: number): boolean {
  return freshnessOf(nowMonoMs - startedMonoMs, camera.source) === 'fresh';
}
