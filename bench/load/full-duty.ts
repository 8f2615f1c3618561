import { setTimeout as sleep } from 'node:timers/promises';
import type { UpstreamCall } from '../../testing/checks/checker.ts';
import { loggedUrl } from './call-log.ts';
import { machineMs } from './machine-clock.ts';
import { INTERVAL_MS, type WatchedFleet } from './watched-fleet.ts';

/** The share of its cameras that a fleet at full duty calls within an interval. */
const FULL_DUTY = 0.95;
const MAX_BACK_MS = 30_000;
const POLL_MS = 1000;
/** The granularity of the result. */
const STEP_MS = 100;

/**
 * Ends the overload: closes the streams of all but the requested cameras. Returns the time until
 * the first interval begins in which nearly all requested cameras are called, at most 30 s.
 */
export async function backToFullDutyMs(watched: WatchedFleet): Promise<number> {
  const { requested, otherStreams, log } = watched;
  const cameras = new Set(requested.map(loggedUrl));
  await log.read();
  const known = log.calls.length;
  otherStreams.close();
  const closedMs = machineMs();
  for (;;) {
    await sleep(POLL_MS);
    const readMs = machineMs();
    await log.read();
    const calls = log.calls.slice(known).filter(({ url }) => cameras.has(url));
    const lastMs = Math.min(readMs - closedMs - INTERVAL_MS, MAX_BACK_MS);
    for (let backMs = 0; backMs <= lastMs; backMs += STEP_MS)
      if (camerasCalled(calls, closedMs + backMs) >= FULL_DUTY * cameras.size) return backMs;
    if (lastMs >= MAX_BACK_MS) return MAX_BACK_MS;
  }
}

/** Returns how many cameras were called in the interval that begins at this time. */
function camerasCalled(calls: readonly UpstreamCall[], fromMs: number): number {
  const inTime = calls.filter(({ startMs }) => startMs >= fromMs && startMs < fromMs + INTERVAL_MS);
  return new Set(inTime.map(({ url }) => url)).size;
}
