import { quantileOf } from '../testing/checks/quantile.ts';
import { type Figure, measureCases, rowsOf } from './figures/figure.ts';
import { measureFleet } from './figures/fleet-cost.ts';

const INTERVAL_MS = 3000;
const DELAY_MS = 1000;
const LOAD = {
  cameras: 40,
  intervalMs: INTERVAL_MS,
  delayMs: DELAY_MS,
  everyMs: 0.31 * INTERVAL_MS, // does not divide the interval, so that all ages occur
  at: 'each',
  intervals: 6,
} as const;

export const adds: Figure = {
  name: 'adds',
  title: 'Jobs per refresh and frame age',
  how: 'Every process gets requests for the same 40 cameras three times per interval (3 s; the cameras take 1 s). Jobs count even if they were already queued. The age is the 99.9th percentile, from the start of the call.',
  measure: (context) =>
    measureCases([2, 10, 20], context, async (apis) => {
      const of = `${apis} api processes`;
      const cost = await measureFleet(of, { ...LOAD, apis }, context);
      const deniedPercent = (100 * cost.denied) / (1 + cost.denied);
      const excessMs = quantileOf(cost.agesMs, 0.999) - INTERVAL_MS - DELAY_MS;
      const row = rowsOf(of);
      return [
        row('jobs per refresh', '', cost.jobs, { most: 1.5 }),
        row('jobs denied by the permit', '%', deniedPercent, { most: 5 }),
        row('age above interval and call', 'ms', excessMs, { most: 50 }),
        row('requests without a frame', '', cost.failures.length),
      ];
    }),
};
