import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { runTool } from './checks/run-tool.ts';
import {
  failuresOfVitest,
  type Tally,
  tallyLine,
  tallyOfVitest,
  type VitestReport,
} from './checks/tally.ts';

const root = resolve(import.meta.dirname, '..');
const reportFile = join(tmpdir(), `lastframe-tests-${process.pid}.json`);
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
/** The tools to run: name, command and arguments. */
const STEPS = [
  ['typecheck', 'turbo', 'run', 'typecheck', '//#typecheck', '--output-logs=errors-only'],
  ['lint', 'biome', 'check', '.'],
  ['unused code', 'knip'],
  ['tests', 'vitest', 'run', ...reporters],
] as const;

/** All tools, and processes that tests start, use Node 24. */
const env = {
  ...process.env,
  PATH: [join(root, 'node_modules/.bin'), process.env.PATH].filter(Boolean).join(delimiter),
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  DO_NOT_TRACK: '1',
};
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort());
}

const tallies = new Map<string, Tally>();
const failures: string[] = [];
for (const [name, command, ...args] of STEPS) {
  if (!interrupted.signal.aborted) tallies.set(name, await runStep(name, command, args));
}
console.log('');
for (const failure of failures) console.log(`${styleText('red', '✗')} ${failure}\n`);
for (const [name, tally] of tallies) console.log(`${mark(tally)} ${name}: ${tallyLine([tally])}`);
if (interrupted.signal.aborted) console.log('Interrupted: not everything ran.');
console.log(tallyLine([...tallies.values()]));
const hasFailures = [...tallies.values()].some(({ failed }) => failed > 0);
process.exit(interrupted.signal.aborted ? 130 : Number(hasFailures));

async function runStep(name: string, command: string, args: readonly string[]): Promise<Tally> {
  console.log(`▸ ${name}`);
  const startedMs = performance.now();
  const live = command === 'vitest';
  const { signal } = interrupted;
  const { succeeded, output } = await runTool({ command, args, env, cwd: root, live, signal });
  const report = live ? takeReport() : undefined;
  failures.push(...failuresOfVitest(report));
  const tally = live
    ? tallyOfVitest(report, succeeded)
    : { passed: Number(succeeded), failed: Number(!succeeded) };
  if (!succeeded && output) console.log(output.trimEnd());
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${mark(tally)} ${name} in ${seconds} s`);
  return tally;
}

function takeReport(): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  } finally {
    rmSync(reportFile, { force: true });
  }
}

function mark({ failed }: Tally): string {
  return failed === 0 ? styleText('green', '✓') : styleText('red', '✗');
}
