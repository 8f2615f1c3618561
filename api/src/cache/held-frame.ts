import type { Camera } from '@lastframe/shared/cameras/camera';
import { freshTimeMs } from '@lastframe/shared/cameras/fresh-time';
import { type Frame, type Freshness, freshnessOf } from '@lastframe/shared/frames/frame';

/**
 * A frame in the memory of this process. Only the functions in this file change one. Times in
 * `MonoMs` are milliseconds of the local monotonic clock.
 */
export interface HeldFrame extends Readonly<Frame> {
  /** With the rules in force when it was last used. */
  readonly camera: Camera;
  readonly startedMonoMs: number;
  readonly capturedMonoMs: number;
  /** Redis may have a newer frame, as announcements may have been missed. */
  readonly mayBeOutdated: boolean;
  readonly lastRequestedMonoMs: number;
  /** By the last request: for twice as long as the frame was fresh then. */
  readonly watchedUntilMonoMs: number;
}

type Writable = { -readonly [Field in keyof HeldFrame]: HeldFrame[Field] };

/** Records that a client requested the frame. */
export function touch(held: HeldFrame, nowMonoMs: number, camera = held.camera): void {
  const writable: Writable = held;
  writable.lastRequestedMonoMs = nowMonoMs;
  writable.camera = camera;
  writable.watchedUntilMonoMs = nowMonoMs + 2 * freshTimeOf(writable);
}

/** The fields that a later call updates when it leaves the bytes unchanged. */
export type Renewal = Pick<HeldFrame, 'camera' | 'startedMonoMs' | 'capturedMonoMs'> &
  Partial<
    Pick<HeldFrame, 'startedAtMs' | 'capturedAtMs' | 'changedAtMs' | 'freshForMs' | 'dimensions'>
  >;

/** Updates a frame whose bytes a later call found unchanged. */
export function renew(held: HeldFrame, renewal: Renewal): void {
  Object.assign(held, renewal);
}

/** Records that Redis may have a newer frame. */
export function markPossiblyOutdated(held: HeldFrame): void {
  setOutdated(held, true);
}

/** Records that memory is up to date with Redis. */
export function markCurrent(held: HeldFrame): void {
  setOutdated(held, false);
}

function setOutdated(writable: Writable, mayBeOutdated: boolean): void {
  writable.mayBeOutdated = mayBeOutdated;
}

/** Makes a frame due, as if its call had begun an interval ago. Clients still see its true age. */
export function makeStale(held: HeldFrame, nowMonoMs: number): void {
  const writable: Writable = held;
  const { intervalMs } = held.camera.source;
  writable.startedMonoMs = Math.min(held.startedMonoMs, nowMonoMs - intervalMs);
  endFreshTime(held);
}

/** Makes a frame due after its interval, whether or not a new picture was expected by then. */
export function endFreshTime(writable: Writable): void {
  writable.freshForMs = undefined;
}

/** Returns whether the frame is not due yet, under the given rules. */
export function isFresh(held: HeldFrame, nowMonoMs: number, camera = held.camera): boolean {
  return freshnessAt(held, nowMonoMs, camera) === 'fresh';
}

/** Returns whether the frame's call began less than an interval ago. */
export function isWithinInterval({ startedMonoMs, camera }: HeldFrame, nowMonoMs: number): boolean {
  return nowMonoMs - startedMonoMs < camera.source.intervalMs;
}

/** Returns how fresh the frame is under a camera's rules. */
export function freshnessAt(
  { startedMonoMs, freshForMs }: HeldFrame,
  nowMonoMs: number,
  { source }: Camera,
): Freshness {
  return freshnessOf(nowMonoMs - startedMonoMs, source, freshForMs);
}

/** Returns how long the frame is fresh, from the start of its call. */
export function freshTimeOf({
  camera,
  freshForMs,
}: Pick<HeldFrame, 'camera' | 'freshForMs'>): number {
  return freshTimeMs(camera.source, freshForMs);
}
