import type { Clock } from '@lastframe/shared/process/clock';
import { LRUCache } from 'lru-cache';

/**
 * Bounds how many new cameras without a frame one client can make the fleet call. A camera that
 * somebody has asked for within the last minute is not new.
 */
export interface NewCameraLimit {
  /** 0 when the client may ask for the camera, else how long until it may. */
  waitMs(client: string, cameraId: string): number;
}

const MINUTE_MS = 60_000;
/** Both bound memory; who is forgotten starts afresh. */
const MAX_CLIENTS = 10_000;
const MAX_CAMERAS = 50_000;

export function createNewCameraLimit(
  clock: Pick<Clock, 'monoMs'>,
  perMinute: number,
): NewCameraLimit {
  if (perMinute === 0) return { waitMs: () => 0 };
  const perMs = perMinute / MINUTE_MS;
  const clients = new LRUCache<string, { left: number; atMonoMs: number }>({ max: MAX_CLIENTS });
  const seen = new LRUCache<string, number>({ max: MAX_CAMERAS });
  return {
    waitMs: (client, cameraId) => {
      const nowMs = clock.monoMs();
      const seenMs = seen.get(cameraId);
      if (seenMs !== undefined && nowMs - seenMs < MINUTE_MS) return 0;
      const before = clients.get(client) ?? { left: perMinute, atMonoMs: nowMs };
      const left = Math.min(perMinute, before.left + (nowMs - before.atMonoMs) * perMs);
      const granted = left >= 1;
      clients.set(client, { left: granted ? left - 1 : left, atMonoMs: nowMs });
      if (!granted) return Math.ceil((1 - left) / perMs);
      seen.set(cameraId, nowMs);
      return 0;
    },
  };
}
