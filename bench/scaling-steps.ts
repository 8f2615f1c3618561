import { type BenchContext, guaranteeRows, type Measured, spreadOf } from './figures/figure.ts';
import { type CostOptions, type FleetCost, measureFleet } from './figures/fleet-cost.ts';

const INTERVAL_MS = 5000;
const SHAPE = {
  apis: 3,
  cameras: 1000,
  intervalMs: INTERVAL_MS,
  delayMs: 2000,
  at: 'one',
} as const;

/** The steps past the first limit, in the order of docs/scaling.md. */
const STEPS: readonly { of: string; change: Partial<CostOptions> }[] = [
  { of: 'none', change: {} },
  { of: 'a Redis for the frames', change: { separateFramesRedis: true } },
  { of: 'two workers', change: { workers: 2 } },
  { of: 'each camera at its own pod', change: { at: 'own' } },
];

/** Measures a fleet without any step, and the same fleet with each step alone. */
export async function measureSteps(context: BenchContext): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const { of, change } of STEPS) {
    const cost = await measureFleet(
      {
        ...SHAPE,
        ...change,
        rampMs: INTERVAL_MS,
        settleMs: INTERVAL_MS,
        measureMs: (context.quick ? 1 : 2) * INTERVAL_MS,
      },
      context,
      `step: ${of}`,
    );
    measured.push(...rowsOf(`step: ${of}`, cost));
  }
  return measured;
}

function rowsOf(of: string, cost: FleetCost): Measured[] {
  const perSecond = cost.refreshes / cost.seconds;
  const row = (what: string, unit: string, value: number) => ({
    of,
    what,
    unit,
    ...spreadOf([value]),
  });
  const cores = (ms: number) => (ms * perSecond) / 1000;
  return [
    row('due calls made', '%', 100 * cost.shareOfDue),
    row('each worker', 'cores', cores(cost.workerMs) / cost.pids.workers.length),
    row('queue Redis', 'cores', cores(cost.redisMs)),
    ...(cost.framesRedisMs > 0 ? [row('frames Redis', 'cores', cores(cost.framesRedisMs))] : []),
    row('all pods', 'cores', cores(cost.apiMs)),
    row('from queue Redis', 'MB/s', (cost.outBytes * perSecond) / 1e6),
    ...guaranteeRows(of, cost.verdict),
  ];
}
