import { setTimeout as sleep } from 'node:timers/promises';
import {
  atMost,
  type BenchContext,
  type Figure,
  type Measured,
  spreadOf,
} from './figures/figure.ts';
import { startDemand } from './load/demand-load.ts';
import { type CameraFleet, startCameraFleet } from './servers/camera-fleet.ts';
import { withFleet } from './servers/with-fleet.ts';

const INTERVAL_MS = 3000;
const DELAY_MS = 1000;
const CAMERAS = 40;
const API_PROCESSES = [2, 10, 20];

export const adds: Figure = {
  name: 'adds',
  title: 'Jobs per refresh and frame age',
  how: 'Every process gets requests for the same 40 cameras three times per interval (3 s; the cameras take 1 s). Jobs count even if they were already queued. The age is the 99.9th percentile, from the start of the call.',
  measure: async (context) => {
    const measured: Measured[] = [];
    for (const apis of context.quick ? API_PROCESSES.slice(0, 1) : API_PROCESSES)
      measured.push(...(await measureWith(apis, context)));
    return measured;
  },
};

async function measureWith(apis: number, context: BenchContext): Promise<Measured[]> {
  const of = `${apis} api processes`;
  context.showProgress(`${of}: starting`);
  const fleet = await startCameraFleet({
    apis,
    intervalMs: INTERVAL_MS,
    delayMs: DELAY_MS,
    workerEnv: { LOG_LEVEL: 'debug' },
  });
  return await withFleet(of, fleet, async () => {
    const askers = fleet.apis.map(({ asker }) => asker);
    const { target } = fleet;
    const everyMs = 0.31 * INTERVAL_MS; // does not divide the interval, so that all ages occur
    const rampMs = INTERVAL_MS;
    const load = startDemand({ askers, cameras: CAMERAS, target, everyMs, at: 'each', rampMs });
    await sleep((apis > 10 ? 6 : 3) * INTERVAL_MS);
    load.takeResults();
    context.showProgress(`${of}: measuring`);
    const before = await readCounters(fleet);
    await sleep((context.quick ? 2 : 6) * INTERVAL_MS);
    const after = await readCounters(fleet);
    const { agesMs, failures } = load.takeResults();
    await load.stop();
    const refreshes = after.granted - before.granted;
    const denied = after.denied - before.denied;
    const sorted = agesMs.toSorted((a, b) => a - b);
    const row = (what: string, unit: string, value: number, most?: number): Measured => {
      const spread = spreadOf([value]);
      const target = most === undefined ? {} : { target: atMost(spread, most) };
      return { of, what, unit, ...spread, ...target };
    };
    const excessMs = (sorted[Math.floor(0.999 * sorted.length)] ?? 0) - INTERVAL_MS - DELAY_MS;
    return [
      row('jobs per refresh', '', (after.adds - before.adds) / refreshes, 1.5),
      row('jobs denied by the permit', '%', (100 * denied) / (refreshes + denied), 5),
      row('age above interval and call', 'ms', excessMs, 50),
      row('requests without a frame', '', failures.length),
    ];
  });
}

async function readCounters({ redis, redisPrefix, workers }: CameraFleet) {
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
