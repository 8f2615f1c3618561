import { LRUCache } from 'lru-cache';
import type { Capture } from '../picture/stage.ts';
import type { Behaviour } from './behaviour.ts';

/** The state of cameras between calls. */
export interface CameraMemory {
  /** Behaviours by camera; each applies to all calls until it is deleted. */
  behaviours: Map<string, Behaviour>;
  /** Counts a call to a camera and returns its number. */
  countCall: (name: string) => number;
  /** Returns the capture at which this camera froze: the given one, if it was not frozen. */
  freeze: (capture: Capture) => Capture;
  /** Unfreezes a camera; it would freeze again at a new picture. */
  thaw: (name: string) => void;
}

/** Beyond this, the counts and captures of the least recently used cameras are evicted. */
const MAX_REMEMBERED_CAMERAS = 100_000;

export function createCameraMemory(): CameraMemory {
  const counts = new LRUCache<string, number>({ max: MAX_REMEMBERED_CAMERAS });
  const frozen = new LRUCache<string, Capture>({ max: MAX_REMEMBERED_CAMERAS });
  return {
    behaviours: new Map(),
    countCall: (name) => {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return count;
    },
    freeze: (capture) => {
      const first = frozen.get(capture.name) ?? capture;
      frozen.set(capture.name, first);
      return first;
    },
    thaw: (name) => {
      frozen.delete(name);
    },
  };
}
