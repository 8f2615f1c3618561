import { setTimeout as sleep } from 'node:timers/promises';
import { startMsOf } from './camera-frame.ts';
import type { FrameClient } from './frame-client.ts';

export interface DemandResult {
  requests: number;
  /** Requests that got no frame, or no response at all. */
  failures: string[];
  /** Ages of the frames served, from the start of their calls. */
  agesMs: number[];
}

export interface DemandLoad {
  /** Returns the results since the previous call. */
  takeResults(): DemandResult;
  stop(): Promise<void>;
}

export interface DemandOptions {
  askers: readonly FrameClient[];
  cameras: number;
  target: (index: number) => string;
  /** The time between two requests for the same camera. */
  everyMs: number;
  /** `each`: every api process; `one`: a different one each time; `own`: always the same one. */
  at: 'each' | 'one' | 'own';
  /** Time until all cameras are requested, so that a cold fleet does not call all at once. */
  rampMs: number;
}

const TICK_MS = 5;
/** The fractional parts of its multiples fill the unit interval evenly. */
const GOLDEN = 0.618_033_988_75;

/** Requests each camera once per `everyMs`, spread evenly, until stopped. */
export function startDemand({
  askers,
  cameras,
  target,
  everyMs,
  at,
  rampMs,
}: DemandOptions): DemandLoad {
  const targets = Array.from({ length: cameras }, (_, index) => target(index));
  let result = emptyResult();
  let running = true;
  const open = new Set<Promise<void>>();

  const sendRequest = async (asker: FrameClient, path: string) => {
    result.requests += 1;
    try {
      const { status, body } = await asker.get(path);
      if (status !== 200)
        result.failures.push(`status ${status}: ${body.toString().slice(0, 200)}`);
      else result.agesMs.push(Number(process.hrtime.bigint()) / 1e6 - startMsOf(body));
    } catch (error) {
      result.failures.push(String(error));
    }
  };
  const requestCamera = (turn: number, share: number) => {
    if (((turn % cameras) * GOLDEN) % 1 > share) return;
    const path = targets[turn % cameras] ?? '/';
    // A different process each round, as with most balancers; or always the same one.
    const round = at === 'own' ? 0 : Math.floor(turn / cameras);
    const nth = ((turn % cameras) + round) % askers.length;
    for (const asker of at === 'each' ? askers : askers.slice(nth, nth + 1)) {
      const request = sendRequest(asker, path).finally(() => open.delete(request));
      open.add(request);
    }
  };
  const run = async () => {
    const beganMs = performance.now();
    for (let turn = 0; running; ) {
      const sinceMs = performance.now() - beganMs;
      for (; turn < (sinceMs * cameras) / everyMs; turn += 1) requestCamera(turn, sinceMs / rampMs);
      await sleep(TICK_MS);
    }
    await Promise.allSettled(open);
  };
  const done = run();
  return {
    takeResults: () => {
      const taken = result;
      result = emptyResult();
      return taken;
    },
    stop: async () => {
      running = false;
      await done;
    },
  };
}

function emptyResult(): DemandResult {
  return { requests: 0, failures: [], agesMs: [] };
}
