import { type Figure, measureCases, rowsOf } from './figures/figure.ts';
import { measureFleet } from './figures/fleet-cost.ts';

const CASES = [
  { intervalMs: 500, delayMs: 100 },
  { intervalMs: 1000, delayMs: 300 },
  { intervalMs: 5000, delayMs: 2000 },
];

export const steady: Figure = {
  name: 'steady',
  title: 'Steadiness of refreshes under continuous demand',
  how: 'Three api and two worker processes serve ten cameras, each requested forty times per interval, so that a stale frame is noticed soon.',
  measure: (context) =>
    measureCases(CASES, context, async ({ intervalMs, delayMs }) => {
      const of = `interval ${intervalMs} ms, camera ${delayMs} ms`;
      const intervals = Math.max(context.durationMs / intervalMs, 6);
      const load = { intervalMs, delayMs, cameras: 10, apis: 3, workers: 2, intervals };
      const everyMs = intervalMs / 40;
      const { verdict, failures } = await measureFleet(of, { ...load, everyMs }, context);
      const row = rowsOf(of);
      return [
        row('calls', '', verdict.calls),
        row('intervals with a call', '%', 100 * verdict.shareOfIntervals),
        row('smallest gap', 'ms', verdict.smallestGapMs),
        row('requests without a frame', '', failures.length),
      ];
    }),
};
