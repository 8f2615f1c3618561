import { setTimeout as sleep } from 'node:timers/promises';
import type { Asker } from './asker.ts';
import { startMsOf } from './camera-frame.ts';

export interface DemandResult {
  asked: number;
  /** Answers that were no frame, or none at all. */
  failures: string[];
  /** How old the frames were that were served, counted from the start of their calls. */
  agesMs: number[];
}

export interface DemandLoad {
  /** What came since the last call of this. */
  take(): DemandResult;
  stop(): Promise<void>;
}

export interface DemandOptions {
  askers: readonly Asker[];
  cameras: number;
  target: (index: number) => string;
  /** Each camera is asked for once in so long. */
  everyMs: number;
  /** `each`: at every api process; `one`: at one of them, another each time; `own`: always at its own. */
  at: 'each' | 'one' | 'own';
  /** How long it takes until all of them are asked for: else a cold fleet has every camera to call at once. */
  rampMs: number;
}

const TICK_MS = 5;
/** Multiples of it fill the unit interval evenly, in whatever order cameras are taken. */
const GOLDEN = 0.618_033_988_75;

/** Asks for each camera once in every interval, all of them spread evenly over it, until stopped. */
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

  const askOne = async (asker: Asker, path: string) => {
    result.asked += 1;
    try {
      const { status, body } = await asker.ask(path);
      if (status !== 200)
        result.failures.push(`status ${status}: ${body.toString().slice(0, 200)}`);
      else result.agesMs.push(Number(process.hrtime.bigint()) / 1e6 - startMsOf(body));
    } catch (error) {
      result.failures.push(String(error));
    }
  };
  const ask = (turn: number, share: number) => {
    if (((turn % cameras) * GOLDEN) % 1 > share) return;
    const path = targets[turn % cameras] ?? '/';
    // Another process each round, as most balancers have it; or the same one, by the camera.
    const round = at === 'own' ? 0 : Math.floor(turn / cameras);
    const nth = ((turn % cameras) + round) % askers.length;
    for (const asker of at === 'each' ? askers : askers.slice(nth, nth + 1)) {
      const asked = askOne(asker, path).finally(() => open.delete(asked));
      open.add(asked);
    }
  };
  const run = async () => {
    const beganMs = performance.now();
    for (let turn = 0; running; ) {
      const sinceMs = performance.now() - beganMs;
      for (; turn < (sinceMs * cameras) / everyMs; turn += 1) ask(turn, sinceMs / rampMs);
      await sleep(TICK_MS);
    }
    await Promise.allSettled(open);
  };
  const done = run();
  return {
    take: () => {
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
  return { asked: 0, failures: [], agesMs: [] };
}
