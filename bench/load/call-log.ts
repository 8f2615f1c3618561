import type { UpstreamCall } from '../../testing/checks/checker.ts';
import type { SlowServer } from '../../testing/fleet/fleet.ts';
import { machineMs } from './machine-clock.ts';

/**
 * The cameras' log, as read so far. Read often, it comes in small parts, so that parsing them does
 * not delay this process's own requests.
 */
export interface CallLog {
  /** In the order of their starts. `endMs` and `status` are those of when they were first read. */
  readonly calls: readonly UpstreamCall[];
  read(): Promise<void>;
  /** Returns how many calls per second started in this time. */
  perSecond(fromMs: number, toMs: number): number;
  /**
   * Returns the age of the oldest picture of these cameras, from the start of its call. A camera
   * without a picture counts from `beganMs`.
   * @param loggedUrls the cameras, as in the log
   */
  oldestPictureMs(loggedUrls: readonly string[], beganMs: number): number;
}

export function createCallLog(slow: SlowServer): CallLog {
  const calls: UpstreamCall[] = [];
  const pictures = new Map<string, number>();
  /** The calls before the first that is not over; only later ones are read again. */
  let over = 0;
  return {
    calls,
    read: async () => {
      let areAllOver = true;
      for (const call of await slow.calls(over)) {
        if (call.number > calls.length) calls.push(call);
        if (call.endMs === null) areAllOver = false;
        else if (call.status !== null) pictures.set(call.url, call.startMs);
        if (areAllOver) over = call.number;
      }
    },
    perSecond: (fromMs, toMs) => {
      const started = calls.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
      return (1000 * started.length) / (toMs - fromMs);
    },
    oldestPictureMs: (loggedUrls, beganMs) => {
      const startedMs = loggedUrls.map((url) => pictures.get(url) ?? beganMs);
      return machineMs() - Math.min(...startedMs);
    },
  };
}

/** Returns the camera's URL as it stands in the log: without its origin. */
export function loggedUrl(camera: string): string {
  const { pathname, search } = new URL(camera);
  return pathname + search;
}
