import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { numberText, type Report } from './figure.ts';
import { RESULTS_DIR } from './report.ts';

const PAGE = join(RESULTS_DIR, '../benchmarks.md');
const [BEGIN, END] = ['<!-- figures: written by make bench -->', '<!-- end of figures -->'];

/** Writes every figure's results into the page, between its two marks. */
export function writePage(order: readonly string[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const [before] = page.split(BEGIN);
  const [, after] = page.split(END);
  if (after === undefined) throw new Error(`${PAGE} has lost its marks ${BEGIN} and ${END}`);
  const sections = allReports(order).map(section);
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${sections.join('\n')}\n${END}${after}`);
}

function allReports(order: readonly string[]): Report[] {
  return readdirSync(RESULTS_DIR)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(RESULTS_DIR, file), 'utf8')) as Report)
    .toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

function section({ name, title, how, date, machine, versions, quick, measured }: Report): string {
  const rows = measured.map((row) => {
    const spread = `${numberText(row.min)} – ${numberText(row.max)}`;
    const target = row.target ? `${row.target.text} ${row.target.isMet ? '✓' : '✗'}` : '';
    return `| ${row.of} | ${row.what} | ${numberText(row.median)} ${row.unit} | ${spread} | ${target} |`;
  });
  const with_ = Object.entries(versions).map(([program, version]) => `${program} ${version}`);
  return `### ${title}

${how}

| of | figure | median | least – most | target |
|---|---|---|---|---|
${rows.join('\n')}

${date} UTC, ${machine}; ${with_.join(', ')}${quick ? '; a quick run, too short for a figure' : ''}.

![${title}](benchmarks/${name}.svg)
`;
}
