import {
  atLeast,
  atMost,
  type BenchContext,
  type Figure,
  guaranteeRows,
  type Measured,
  spreadOf,
} from './figures/figure.ts';
import { type FleetCost, measureFleet } from './figures/fleet-cost.ts';

interface Case {
  cameras: number;
  /** CPU per refresh, the target. */
  mostMs: number;
  rounds: number;
}

const CASES: readonly Case[] = [
  { cameras: 500, mostMs: 5, rounds: 2 },
  { cameras: 5000, mostMs: 1.5, rounds: 1 },
];
const INTERVAL_MS = 5000;

export const refreshCost: Figure = {
  name: 'refresh-cost',
  title: 'CPU per refresh',
  how: 'Two api processes, one worker and one Redis serve cameras that take 2 s, with 20 KB frames and an interval of 5 s; each camera is requested once per interval. CPU is the user and kernel time of api, worker and Redis together. It includes responses to viewers, but not the load generator and the cameras.',
  measure: async (context) => {
    const measured: Measured[] = [];
    for (const one of context.quick ? CASES.slice(0, 1) : CASES)
      measured.push(...(await measureCase(one, context)));
    return measured;
  },
};

async function measureCase(
  { cameras, mostMs, rounds }: Case,
  context: BenchContext,
): Promise<Measured[]> {
  const of = `${cameras} cameras`;
  const costs: FleetCost[] = [];
  for (let round = 0; round < (context.quick ? 1 : rounds); round += 1) {
    const cost = await measureFleet(
      {
        apis: 2,
        cameras,
        intervalMs: INTERVAL_MS,
        delayMs: 2000,
        at: 'one',
        rampMs: (context.quick ? 1 : 2) * INTERVAL_MS,
        settleMs: (context.quick ? 1 : 2) * INTERVAL_MS,
        measureMs: (context.quick ? 1 : 3) * INTERVAL_MS,
      },
      context,
      `${of}, round ${round + 1}`,
    );
    costs.push(cost);
  }
  const row = (what: string, unit: string, value: (cost: FleetCost) => number) => ({
    of,
    what,
    unit,
    ...spreadOf(costs.map(value)),
  });
  const total = row('CPU', 'ms', ({ apiMs, workerMs, redisMs }) => apiMs + workerMs + redisMs);
  const share = row('due calls made', '%', ({ shareOfDue }) => 100 * shareOfDue);
  return [
    { ...total, target: atMost(total, mostMs) },
    row('CPU, api', 'ms', ({ apiMs }) => apiMs),
    row('CPU, worker', 'ms', ({ workerMs }) => workerMs),
    row('CPU, Redis', 'ms', ({ redisMs }) => redisMs),
    { ...share, target: atLeast(share, 95) },
    row('Redis scripts', '', ({ commands }) => commands.evalsha ?? 0),
    row('jobs requested', '', ({ jobs: adds }) => adds),
    row('requests without a frame', '', ({ failures }) => failures.length),
    ...costs.slice(-1).flatMap(({ verdict }) => guaranteeRows(of, verdict)),
  ];
}
