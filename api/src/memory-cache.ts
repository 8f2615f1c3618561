import type { Camera } from '@lastframe/shared/camera';
import { type Frame, freshnessOf } from '@lastframe/shared/frame';
import { LRUCache } from 'lru-cache';

/** A frame in this process's memory. Its times are of the local monotonic clock. */
export interface HeldFrame extends Frame {
  camera: Camera;
  startedMonoMs: number;
  capturedMonoMs: number;
  /** Announcements may have been missed since: the frame store may have a newer one. */
  unsure: boolean;
  lastAskedMonoMs: number;
}

/** What a held frame costs beside its bytes: the heads of its answers, above all. */
const OVERHEAD_BYTES = 4096;
/** Frames up to this size are kept a second time together with their head, to be sent in one write. */
export const SMALL_BYTES = 16 * 1024;

export type MemoryCache = LRUCache<string, HeldFrame>;

/** The frames in this process by cameraId, bounded by bytes; the least recently asked for go first. */
export function createMemoryCache(limitBytes: number): MemoryCache {
  return new LRUCache({
    maxSize: limitBytes,
    sizeCalculation: ({ bytes: { length } }) =>
      (length <= SMALL_BYTES ? 2 * length : length) + OVERHEAD_BYTES,
  });
}

/** Nobody needs another one yet. */
export function isFresh({ startedMonoMs, camera }: HeldFrame, nowMonoMs: number): boolean {
  return freshnessOf(nowMonoMs - startedMonoMs, camera.source) === 'fresh';
}

/** After a gap in the announcements nothing is known to be the last frame. */
export function makeAllUnsure(memory: MemoryCache): void {
  for (const held of memory.values()) held.unsure = true;
}
