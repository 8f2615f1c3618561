import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { renderChart } from './chart.ts';
import { type Figure, type Measured, numberText, type Report } from './figure.ts';

const RESULTS_DIR = resolve(import.meta.dirname, '../../docs/benchmarks');

export function reportOf(figure: Figure, measured: Measured[], quick: boolean): Report {
  const { name, title, how } = figure;
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ');
  return { name, title, how, date, machine: machine(), versions: versions(), quick, measured };
}

/** Writes the JSON file and the chart of a figure. */
export function writeReport(report: Report): void {
  mkdirSync(RESULTS_DIR, { recursive: true });
  const path = join(RESULTS_DIR, report.name);
  writeFileSync(`${path}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${path}.svg`, renderChart(report));
}

/** Formats a figure's rows for the terminal. */
export function tableLines({ title, machine, versions, measured }: Report): string[] {
  const rows = measured.map((row) => [
    row.of,
    row.what,
    numberText(row.median),
    `${numberText(row.min)} – ${numberText(row.max)}`,
    row.unit,
    row.target ? `${row.target.isMet ? '✓' : '✗'} ${row.target.text}` : '',
  ]);
  const widths = [0, 1, 2, 3, 4, 5].map((n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  const line = (row: string[]) => row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ');
  return [
    '',
    title,
    `${machine}, Node ${versions.node}`,
    ...rows.map((row) => `  ${line(row).trimEnd()}`),
  ];
}

function machine(): string {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`;
  return `${cpus().length} × ${cpu?.model.trim()}, ${memory}, Linux ${release()}`;
}

function versions(): Record<string, string> {
  return {
    node: process.versions.node,
    nginx: versionOf('nginx', '-v'),
    varnish: versionOf('varnishd', '-V'),
    redis: versionOf('redis-server', '--version'),
  };
}

/** Some programs print their version on stdout, some on stderr. */
function versionOf(command: string, flag: string): string {
  try {
    const text = execFileSync('sh', ['-c', `${command} ${flag} 2>&1`], { encoding: 'utf8' });
    return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? 'unknown';
  } catch {
    return 'not installed';
  }
}
