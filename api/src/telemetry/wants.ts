import type { Tracer } from '@lastframe/shared/telemetry/tracer';
import { LRUCache } from 'lru-cache';

/** The requests that want a frame of a camera, from raising demand until a job asks for it. */
export interface Wants {
  note(cameraId: string): void;
  /** Their `traceparent`s; from then on nobody is noted. */
  take(cameraId: string): string[];
}

/** One job can serve thousands of requests; a few are enough to find it by. */
const MAX_NOTED = 16;
const MAX_CAMERAS = 10_000;

export function createWants(tracer: Pick<Tracer, 'current'> | undefined): Wants {
  const wants = new LRUCache<string, string[]>({ max: MAX_CAMERAS });
  return {
    note: (cameraId) => {
      const here = tracer?.current();
      const noted = wants.get(cameraId) ?? [];
      if (here === undefined || noted.length >= MAX_NOTED || noted.includes(here)) return;
      wants.set(cameraId, [...noted, here]);
    },
    take: (cameraId) => {
      const noted = wants.get(cameraId) ?? [];
      wants.delete(cameraId);
      return noted;
    },
  };
}
