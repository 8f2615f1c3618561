import { setTimeout as sleep } from 'node:timers/promises';
import { type CameraFleet, startCameraFleet } from './support/camera-fleet.ts';
import { startDemand } from './support/demand-load.ts';
import {
  atMost,
  type BenchContext,
  type Figure,
  guaranteeKept,
  type Measured,
  spreadOf,
} from './support/figure.ts';

const INTERVAL_MS = 3000;
const DELAY_MS = 1000;
const CAMERAS = 40;
const API_PROCESSES = [2, 10, 20];

export const adds: Figure = {
  name: 'adds',
  title: 'Jobs asked for, and the age of what is served',
  how: 'Every api process is asked for the same 40 cameras three times an interval (3 s; the cameras take 1 s). Jobs count whether they were kept or were there already. A frame is as old as the time since its call began, by the clock of the machine; the oldest but one in a thousand counts.',
  measure: async (context) => {
    const measured: Measured[] = [];
    for (const apis of context.quick ? API_PROCESSES.slice(0, 1) : API_PROCESSES)
      measured.push(...(await measureWith(apis, context)));
    return measured;
  },
};

async function measureWith(apis: number, context: BenchContext): Promise<Measured[]> {
  const of = `${apis} api processes`;
  context.say(`${of}: starting`);
  const fleet = await startCameraFleet({
    apis,
    intervalMs: INTERVAL_MS,
    delayMs: DELAY_MS,
    workerEnv: { LOG_LEVEL: 'debug' },
  });
  try {
    const askers = fleet.apis.map(({ asker }) => asker);
    const { target } = fleet;
    const everyMs = 0.31 * INTERVAL_MS; // no part of the interval, so that every age is seen
    const rampMs = INTERVAL_MS;
    const load = startDemand({ askers, cameras: CAMERAS, target, everyMs, at: 'each', rampMs });
    await sleep((apis > 10 ? 6 : 3) * INTERVAL_MS);
    load.take();
    context.say(`${of}: measuring`);
    const before = await look(fleet);
    await sleep((context.quick ? 2 : 6) * INTERVAL_MS);
    const after = await look(fleet);
    const { agesMs, failures } = load.take();
    await load.stop();
    const refreshes = after.granted - before.granted;
    const denied = after.denied - before.denied;
    const sorted = agesMs.toSorted((a, b) => a - b);
    const row = (what: string, unit: string, value: number, most?: number): Measured => {
      const spread = spreadOf([value]);
      const target = most === undefined ? {} : { target: atMost(spread, most) };
      return { of, what, unit, ...spread, ...target };
    };
    const late = (sorted[Math.floor(0.999 * sorted.length)] ?? 0) - INTERVAL_MS - DELAY_MS;
    return [
      row('jobs asked for, per refresh', '', (after.adds - before.adds) / refreshes, 1.5),
      row('jobs that the permit denied', '%', (100 * denied) / (refreshes + denied), 5),
      row('age above interval and call', 'ms', late, 50),
      row('requests without a frame', '', failures.length),
      ...guaranteeKept(of, await fleet.check()),
    ];
  } finally {
    await fleet.stop();
  }
}

async function look({ redis, redisPrefix, workers }: CameraFleet) {
  const outcomes = workers
    .flatMap(({ logs }) => logs)
    .flatMap(({ msg, outcome }) => (msg === 'refresh' ? [String(outcome)] : []));
  const denied = outcomes.filter((outcome) => outcome.startsWith('denied')).length;
  return {
    adds: Number(await redis.command('GET', `${redisPrefix}:refresh:id`)),
    denied,
    granted: outcomes.length - denied,
  };
}
