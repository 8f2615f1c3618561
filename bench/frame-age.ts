import { quantileOf } from '../testing/checks/quantile.ts';
import { type Figure, measureCases, rowsOf } from './figures/figure.ts';
import { measureFleet } from './figures/fleet-cost.ts';

const CASES = [
  { intervalMs: 1000, delayMs: 300, intervals: 30 },
  { intervalMs: 5000, delayMs: 2000, intervals: 8 },
];
/** For storing, announcing and reading the frame, and the guard time that the permit adds. */
const ALLOWANCE_MS = 50;

export const frameAge: Figure = {
  name: 'frame-age',
  title: 'Age of the frame under continuous demand',
  how: 'A viewer requests one camera every 10 ms, from each of three api processes in turn; two workers call it. The age counts from the start of the call, so it includes the camera’s own time. The target is the interval plus the camera’s time plus 50 ms.',
  measure: (context) =>
    measureCases(CASES, context, async (times) => {
      const { intervalMs, delayMs } = times;
      const of = `interval ${intervalMs} ms, camera ${delayMs} ms`;
      const load = { ...times, cameras: 1, apis: 3, workers: 2, everyMs: 10 };
      const { agesMs } = await measureFleet(of, load, context);
      const row = rowsOf(of);
      const limit = { most: intervalMs + delayMs + ALLOWANCE_MS };
      return [
        row('age, p99', 'ms', quantileOf(agesMs, 0.99), limit),
        row('greatest age', 'ms', quantileOf(agesMs, 1)),
        row('requests', '', agesMs.length),
      ];
    }),
};
