import { parseDurationMs } from '@lastframe/shared/settings/units';
import { adds } from './adds.ts';
import { announcement } from './announcement.ts';
import { coldBurst } from './cold-burst.ts';
import type { Figure } from './figures/figure.ts';
import { reportOf, tableLines, writeReport } from './figures/report.ts';
import { flood } from './flood.ts';
import { frameAge } from './frame-age.ts';
import { hits } from './hits.ts';
import { jobOrder } from './job-order.ts';
import { overload } from './overload.ts';
import { refreshCost } from './refresh-cost.ts';
import { replaced } from './replaced.ts';
import { scaling } from './scaling.ts';
import { stages } from './stages.ts';
import { steady } from './steady.ts';
import { streams } from './streams.ts';
import { wall } from './wall.ts';

/**
 * `make bench`: runs every figure, or those named on the command line. `--quick` is a short smoke
 * test. `CASES` is a pattern that selects cases by name, in figures with long ones. Neither writes
 * results.
 */
const FIGURES = [hits, replaced, coldBurst, announcement, frameAge, refreshCost, adds];
/** Run only when named; `scaling` takes as long as all the others together. */
const ONLY_WHEN_NAMED = [scaling, overload, stages, flood, jobOrder, steady, streams, wall];
/** Their results are printed, not written. */
const UNPUBLISHED: readonly Figure[] = [steady, streams, wall];

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const named = args.filter((arg) => !arg.startsWith('--'));
const all = [...FIGURES, ...ONLY_WHEN_NAMED];
const selected = named.length === 0 ? FIGURES : all.filter(({ name }) => named.includes(name));
const durationMs = parseDurationMs(process.env.DURATION ?? (quick ? '3s' : '30s')) ?? 30_000;
const cases = new RegExp(process.env.CASES ?? '');

try {
  if (selected.length === 0)
    throw new Error(`unknown figure; choose from ${all.map(({ name }) => name).join(', ')}`);
  for (const figure of selected) await run(figure);
} catch (error) {
  console.error(`\nbench: ${(error as Error).message}`);
  process.exit(1);
}

async function run(figure: Figure): Promise<void> {
  const startedMs = performance.now();
  const showProgress = (text: string) => progress(figure, text);
  const measured = await figure.measure({ quick, durationMs, cases, showProgress });
  progress(figure, '');
  const report = reportOf(figure, measured, quick);
  const isPartial = quick || Boolean(process.env.CASES);
  if (!isPartial && !UNPUBLISHED.includes(figure)) writeReport(report);
  for (const line of tableLines(report)) console.log(line);
  console.log(`  (${Math.round((performance.now() - startedMs) / 1000)} s)`);
  if (measured.some(({ target }) => target?.isRequired && !target.isMet)) process.exitCode = 1;
}

/** On a terminal rewrites one line; elsewhere prints a line per step. */
function progress({ name }: Figure, text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text && `${name}: ${text}`}`);
  else if (text) console.error(`${name}: ${text}`);
}
