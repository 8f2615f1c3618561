import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Clock } from '@lastframe/shared/process/clock';
import type { MemoryCache } from '../cache/memory-cache.ts';

/** What keeps a camera watched in this process: open streams, waiting requests, `keepWarm`. */
export interface Presence {
  /** Counts a viewer of the camera until the returned function is called. */
  enter(camera: Camera): () => void;
  /** Returns whether a stream shows the camera, a request waits for it, or it is kept warm. */
  isPresent(cameraId: string): boolean;
  /** Returns the camera if a viewer is present or requested it within twice its fresh time. */
  watchedCamera(cameraId: string): Camera | undefined;
}

export function createPresence({ clock, memory }: { clock: Clock; memory: MemoryCache }): Presence {
  const present = new Map<string, { camera: Camera; count: number }>();
  return {
    enter: (camera) => {
      const { cameraId } = camera;
      const group = present.get(cameraId) ?? { camera, count: 0 };
      present.set(cameraId, group);
      group.camera = camera; // under the rules in force now
      group.count += 1;
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        group.count -= 1;
        if (group.count === 0) present.delete(cameraId);
      };
    },
    isPresent: (cameraId) => present.has(cameraId),
    watchedCamera: (cameraId) => {
      const group = present.get(cameraId);
      if (group) return group.camera;
      const held = memory.peek(cameraId);
      if (!held) return undefined;
      return clock.monoMs() < held.watchedUntilMonoMs ? held.camera : undefined;
    },
  };
}
