import { LRUCache } from 'lru-cache';
import type { Behaviour } from './behaviour.ts';
import type { Capture } from './stage.ts';

/** What cameras remember from call to call. */
export interface CameraMemory {
  /** What all calls to a camera do, until it is deleted. */
  behaviours: Map<string, Behaviour>;
  /** Counts one more call to a camera and gives its number. */
  countCall: (name: string) => number;
  /** The capture at which this camera froze: the given one, if it hadn't yet. */
  freeze: (capture: Capture) => Capture;
  /** Lets a frozen camera go; if it freezes again, then at a new picture. */
  thaw: (name: string) => void;
}

/** Counts and frozen captures of cameras beyond so many are forgotten, the least used first. */
const CAMERAS_REMEMBERED = 100_000;

export function createCameraMemory(): CameraMemory {
  const counts = new LRUCache<string, number>({ max: CAMERAS_REMEMBERED });
  const frozen = new LRUCache<string, Capture>({ max: CAMERAS_REMEMBERED });
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
