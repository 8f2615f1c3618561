import { adds } from './adds.ts';
import { announcement } from './announcement.ts';
import { coldBurst } from './cold-burst.ts';
import { finder } from './finder.ts';
import { frameAge } from './frame-age.ts';
import { hits } from './hits.ts';
import { profile } from './profile.ts';
import { refreshCost } from './refresh-cost.ts';
import { replaced } from './replaced.ts';
import { scaling } from './scaling.ts';
import { needTwoCores } from './support/cores.ts';
import type { Figure } from './support/figure.ts';
import { writePage } from './support/page.ts';
import { reportOf, tableLines, writeReport } from './support/report.ts';

/**
 * `make bench`: every figure, or those that are named on the command line. `--quick` is short and
 * writes nothing: it shows that all works.
 */
const FIGURES: readonly Figure[] = [
  hits,
  finder,
  replaced,
  coldBurst,
  announcement,
  frameAge,
  refreshCost,
  adds,
];
/** Only when named: one takes as long as all the others together, one slows down what it looks at. */
const APART: readonly Figure[] = [profile, scaling];

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const named = args.filter((arg) => !arg.startsWith('--'));
const all = [...FIGURES, ...APART];
const chosen = named.length === 0 ? FIGURES : all.filter(({ name }) => named.includes(name));

try {
  needTwoCores();
  if (chosen.length === 0) throw new Error(`there is ${all.map(({ name }) => name).join(', ')}`);
  for (const figure of chosen) await run(figure);
  if (!quick) writePage(all.map(({ name }) => name));
} catch (error) {
  console.error(`\nbench: ${(error as Error).message}`);
  process.exit(1);
}

async function run(figure: Figure): Promise<void> {
  const startedMs = performance.now();
  const measured = await figure.measure({ quick, say: (text) => progress(figure, text) });
  progress(figure, '');
  const report = reportOf(figure, measured, quick);
  if (!quick) writeReport(report);
  for (const line of tableLines(report)) console.log(line);
  console.log(`  (${Math.round((performance.now() - startedMs) / 1000)} s)`);
  // A missed target is a result; a breach of the guarantee is a failure.
  if (measured.some(({ what, max }) => what.startsWith('breaches') && max > 0))
    process.exitCode = 1;
}

/** One line that changes on a terminal, one line for each step elsewhere. */
function progress({ name }: Figure, text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text && `${name}: ${text}`}`);
  else if (text) console.error(`${name}: ${text}`);
}
