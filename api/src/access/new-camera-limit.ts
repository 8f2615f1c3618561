import { createClientLimit } from '@lastframe/shared/http/client-limit';
import type { Clock } from '@lastframe/shared/process/clock';
import { LRUCache } from 'lru-cache';

/**
 * Limits how many new cameras without a frame one client can make the fleet call. A camera that was
 * counted for any client within the last minute is not new.
 */
export interface NewCameraLimit {
  /** Counts the request. Returns 0 if the client may make it, else how long (ms) until it may. */
  tryRequest(client: string, cameraId: string): number;
}

const MINUTE_MS = 60_000;
/** Bounds memory. */
const MAX_CAMERAS = 50_000;

export function createNewCameraLimit(
  { monoMs }: Pick<Clock, 'monoMs'>,
  perMinute: number,
): NewCameraLimit {
  if (perMinute === 0) return { tryRequest: () => 0 };
  const clients = createClientLimit({ burst: perMinute, perMs: perMinute / MINUTE_MS }, monoMs);
  const lastRequestMs = new LRUCache<string, number>({ max: MAX_CAMERAS });
  return {
    tryRequest: (client, cameraId) => {
      const requestedMs = lastRequestMs.get(cameraId) ?? Number.NEGATIVE_INFINITY;
      if (monoMs() - requestedMs < MINUTE_MS) return 0;
      const waitMs = clients.waitMs(client);
      if (waitMs > 0) return waitMs;
      clients.record(client);
      lastRequestMs.set(cameraId, monoMs());
      return 0;
    },
  };
}
