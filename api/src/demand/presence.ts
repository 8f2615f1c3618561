import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Clock } from '@lastframe/shared/process/clock';
import type { MemoryCache } from '../cache/memory-cache.ts';

/** Who watches which camera in this process: open streams and waiting requests, counted. */
export interface Presence {
  /** Somebody looks at the camera until the function that it gives is called. */
  enter(camera: Camera): () => void;
  /** An open stream or a waiting request. */
  isPresent(cameraId: string): boolean;
  /** The camera if somebody is present, or has asked for it within the last two intervals. */
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
      const sinceAskedMs = clock.monoMs() - held.lastAskedMonoMs;
      return sinceAskedMs < 2 * held.camera.source.intervalMs ? held.camera : undefined;
    },
  };
}
