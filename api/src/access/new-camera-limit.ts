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
/** Both bound memory. A forgotten client starts with its full allowance. */
const MAX_CLIENTS = 10_000;
const MAX_CAMERAS = 50_000;

export function createNewCameraLimit(
  clock: Pick<Clock, 'monoMs'>,
  perMinute: number,
): NewCameraLimit {
  if (perMinute === 0) return { tryRequest: () => 0 };
  const perMs = perMinute / MINUTE_MS;
  const clients = new LRUCache<string, { left: number; atMonoMs: number }>({ max: MAX_CLIENTS });
  const lastRequestMs = new LRUCache<string, number>({ max: MAX_CAMERAS });
  return {
    tryRequest: (client, cameraId) => {
      const nowMs = clock.monoMs();
      const requestedMs = lastRequestMs.get(cameraId);
      if (requestedMs !== undefined && nowMs - requestedMs < MINUTE_MS) return 0;
      const before = clients.get(client) ?? { left: perMinute, atMonoMs: nowMs };
      const left = Math.min(perMinute, before.left + (nowMs - before.atMonoMs) * perMs);
      const isAllowed = left >= 1;
      clients.set(client, { left: isAllowed ? left - 1 : left, atMonoMs: nowMs });
      if (!isAllowed) return Math.ceil((1 - left) / perMs);
      lastRequestMs.set(cameraId, nowMs);
      return 0;
    },
  };
}
