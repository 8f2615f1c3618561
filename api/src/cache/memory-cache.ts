import type { Clock } from '@lastframe/shared/process/clock';
import { LRUCache } from 'lru-cache';
import { type HeldFrame, markPossiblyOutdated } from './held-frame.ts';

/** What a held frame costs besides its bytes, mostly for its response heads. */
const OVERHEAD_BYTES = 4096;
/** Frames up to this size are also kept joined with their head, to be sent in one write. */
export const SMALL_BYTES = 16 * 1024;

export type MemoryCache = LRUCache<string, HeldFrame>;

/** A frame requested this recently is not evicted for the first frame of an unnamed camera. */
const RECENT_MS = 10_000;

/** Creates a cache by cameraId, limited by bytes; the least recently requested frames go first. */
export function createMemoryCache(limitBytes: number): MemoryCache {
  return new LRUCache({ maxSize: limitBytes, sizeCalculation: sizeOf });
}

function sizeOf({ bytes: { length } }: HeldFrame): number {
  return (length <= SMALL_BYTES ? 2 * length : length) + OVERHEAD_BYTES;
}

export interface KeepDeps {
  clock: Pick<Clock, 'monoMs'>;
  memory: MemoryCache;
  /** Returns whether a stream shows the camera, a request waits for it, or it is kept warm. */
  isPresent: (cameraId: string) => boolean;
}

/**
 * Keeps a frame if there is room. Viewers can request any number of unnamed cameras, so the first
 * frame of one evicts only unwatched unnamed ones. A named camera, or the next frame of a watched
 * one, evicts any unnamed one; a named camera also evicts unwatched named ones. Without room, each
 * request reads the frame from Redis.
 */
export function keepFrame(held: HeldFrame, { clock, memory, isPresent }: KeepDeps): void {
  const { cameraId } = held;
  const leastRecentMs = clock.monoMs() - RECENT_MS;
  const isWatched = (other: HeldFrame) =>
    other.lastRequestedMonoMs > leastRecentMs || isPresent(other.cameraId);
  const before = memory.peek(cameraId);
  memory.delete(cameraId);
  const mayEvict = [
    (other: HeldFrame) => !isNamed(other) && !isWatched(other),
    (other: HeldFrame) =>
      !isNamed(other) && (isNamed(held) || (before !== undefined && isWatched(before))),
    (other: HeldFrame) => isNamed(held) && !isWatched(other),
  ];
  if (mayEvict.some((may) => makeRoom(memory, sizeOf(held), may))) memory.set(cameraId, held);
}

function isNamed({ camera }: HeldFrame): boolean {
  return camera.name !== undefined;
}

/** Evicts the least recently requested of the frames that may go, if that makes enough room. */
function makeRoom(
  memory: MemoryCache,
  sizeBytes: number,
  mayEvict: (other: HeldFrame) => boolean,
): boolean {
  let missingBytes = memory.calculatedSize + sizeBytes - memory.maxSize;
  const evicted: string[] = [];
  for (const cameraId of missingBytes > 0 ? memory.rkeys() : []) {
    const other = memory.peek(cameraId);
    if (!other || !mayEvict(other)) continue;
    evicted.push(cameraId);
    missingBytes -= sizeOf(other);
    if (missingBytes <= 0) break;
  }
  if (missingBytes > 0) return false;
  for (const cameraId of evicted) memory.delete(cameraId);
  return true;
}

/** Marks all frames outdated, after a gap in the announcements. */
export function markAllPossiblyOutdated(memory: MemoryCache): void {
  for (const held of memory.values()) markPossiblyOutdated(held);
}
