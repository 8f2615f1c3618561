import type { Clock } from '@lastframe/shared/process/clock';
import { LRUCache } from 'lru-cache';
import { type HeldFrame, markOutdated } from './held-frame.ts';

/** What a held frame costs beside its bytes: the heads of its answers, above all. */
const OVERHEAD_BYTES = 4096;
/** Frames up to this size are kept a second time together with their head, to be sent in one write. */
export const SMALL_BYTES = 16 * 1024;

export type MemoryCache = LRUCache<string, HeldFrame>;

/** Asked for so recently, a frame is not given up for one that is new here. */
const RECENT_MS = 10_000;

/** The frames in this process by cameraId, bounded by bytes; the least recently asked for go first. */
export function createMemoryCache(limitBytes: number): MemoryCache {
  return new LRUCache({ maxSize: limitBytes, sizeCalculation: sizeOf });
}

function sizeOf({ bytes: { length } }: HeldFrame): number {
  return (length <= SMALL_BYTES ? 2 * length : length) + OVERHEAD_BYTES;
}

export interface KeepDeps {
  clock: Pick<Clock, 'monoMs'>;
  memory: MemoryCache;
  /** A stream shows the camera, or a request waits for it. */
  isPresent: (cameraId: string) => boolean;
}

/**
 * Keeps a frame if there is room. Viewers can ask for any number of unnamed cameras, so the first
 * frame of one takes only the room of unnamed ones that nobody watches. A named camera, and the next
 * frame of one that is watched, take that of any unnamed one. Without room the frame is not kept:
 * each request reads it from Redis.
 */
export function keepFrame(held: HeldFrame, { clock, memory, isPresent }: KeepDeps): void {
  const { cameraId } = held;
  const leastRecentMs = clock.monoMs() - RECENT_MS;
  const isWatched = (other: HeldFrame) =>
    other.lastAskedMonoMs > leastRecentMs || isPresent(other.cameraId);
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

/** Evicts the least recently asked for of those that may go, if that is enough. */
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

/** After a gap in the announcements any frame may be outdated. */
export function markAllOutdated(memory: MemoryCache): void {
  for (const held of memory.values()) markOutdated(held);
}
