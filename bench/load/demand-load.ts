import { setTimeout as sleep } from 'node:timers/promises';
import { startMsOf } from './camera-frame.ts';
import { machineMs } from './machine-clock.ts';
import type { Viewer } from './viewer.ts';

export interface DemandResult {
  requests: number;
  /** Requests that got no frame, or no response at all. */
  failures: string[];
  /** Ages of the frames served, from the start of their calls. */
  agesMs: number[];
  /** How long the requests with a frame took. */
  tookMs: number[];
}

export interface DemandLoad {
  /** Returns the results since the previous call. */
  takeResults(): DemandResult;
  stop(): Promise<void>;
}

export interface DemandOptions {
  /** One for each api process. */
  viewers: readonly Viewer[];
  cameras: readonly string[];
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
export function startDemand(options: DemandOptions): DemandLoad {
  const { viewers, cameras, everyMs, at, rampMs } = options;
  let result = emptyResult();
  let running = true;
  const open = new Set<Promise<void>>();

  const sendRequest = async (viewer: Viewer, camera: string) => {
    result.requests += 1;
    try {
      const { status, body, tookMs } = await viewer.request(camera);
      if (status === 200) {
        result.agesMs.push(machineMs() - startMsOf(body));
        result.tookMs.push(tookMs);
      } else result.failures.push(`status ${status}: ${body.toString().slice(0, 200)}`);
    } catch (error) {
      result.failures.push(String(error));
    }
  };
  const requestCamera = (turn: number, share: number) => {
    const index = turn % cameras.length;
    if ((index * GOLDEN) % 1 > share) return;
    // A different process each round, as with most balancers; or always the same one.
    const round = at === 'own' ? 0 : Math.floor(turn / cameras.length);
    const nth = (index + round) % viewers.length;
    for (const viewer of at === 'each' ? viewers : viewers.slice(nth, nth + 1)) {
      const request = sendRequest(viewer, cameras[index] ?? '').finally(() => open.delete(request));
      open.add(request);
    }
  };
  const run = async () => {
    const beganMs = performance.now();
    for (let turn = 0; running; ) {
      const sinceMs = performance.now() - beganMs;
      const dueTurns = (sinceMs * cameras.length) / everyMs;
      for (; turn < dueTurns; turn += 1) requestCamera(turn, sinceMs / rampMs);
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
  return { requests: 0, failures: [], agesMs: [], tookMs: [] };
}
