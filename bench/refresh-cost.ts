import { type Figure, measureCases, rowsOf } from './figures/figure.ts';
import { type FleetCost, measureFleet } from './figures/fleet-cost.ts';

const CASES = [
  { cameras: 500, mostMs: 5, rounds: 2 },
  { cameras: 5000, mostMs: 1.5, rounds: 1 },
];

export const refreshCost: Figure = {
  name: 'refresh-cost',
  title: 'CPU per refresh',
  how: 'Two api processes, one worker and one Redis serve cameras that take 2 s, with 20 KB frames and an interval of 5 s; each camera is requested once per interval. CPU is the user and kernel time of api, worker and Redis together. It includes responses to viewers, but not the load generator and the cameras.',
  measure: (context) =>
    measureCases(CASES, context, async ({ cameras, mostMs, rounds }) => {
      const of = `${cameras} cameras`;
      const load = { cameras, apis: 2, intervalMs: 5000, delayMs: 2000, intervals: 3 };
      const costs: FleetCost[] = [];
      for (let round = 1; round <= (context.quick ? 1 : rounds); round += 1)
        costs.push(await measureFleet(`${of}, round ${round}`, load, context));
      const row = rowsOf(of);
      const each = (name: 'apiMs' | 'workerMs' | 'redisMs' | 'scripts' | 'jobs') =>
        costs.map((cost) => cost[name]);
      const totals = costs.map(({ apiMs, workerMs, redisMs }) => apiMs + workerMs + redisMs);
      const shares = costs.map(({ shareOfDue }) => 100 * shareOfDue);
      const failed = costs.map(({ failures }) => failures.length);
      return [
        row('CPU', 'ms', totals, { most: mostMs }),
        row('CPU, api', 'ms', each('apiMs')),
        row('CPU, worker', 'ms', each('workerMs')),
        row('CPU, Redis', 'ms', each('redisMs')),
        row('due calls made', '%', shares, { least: 95 }),
        row('Redis scripts', '', each('scripts')),
        row('jobs requested', '', each('jobs')),
        row('requests without a frame', '', failed),
      ];
    }),
};
