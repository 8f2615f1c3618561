import { resolve } from 'node:path';
import { type Step, type StepContext, steps, toolEnv } from './checks/steps.ts';
import { sum, type Tally, tallyLine } from './checks/tally.ts';
import { paintFor } from './paint.ts';

const root = resolve(import.meta.dirname, '..');
const env = toolEnv(process.env, root);
const paint = paintFor(process.stdout, env.NO_COLOR);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort());
}

const context = { root, env, signal: interrupted.signal };
const results: { name: string; tally: Tally }[] = [];
for (const step of steps) {
  if (!interrupted.signal.aborted) {
    results.push({ name: step.name, tally: await runStep(step, context) });
  }
}
const total = sum(results.map(({ tally }) => tally));
console.log('');
for (const { name, tally } of results) console.log(`${mark(tally)} ${name}: ${tallyLine(tally)}`);
if (interrupted.signal.aborted) console.log('Interrupted: not everything ran.');
console.log(tallyLine(total));
process.exit(interrupted.signal.aborted ? 130 : Math.min(1, total.failed));

async function runStep(step: Step, context: StepContext): Promise<Tally> {
  console.log(`▸ ${step.name}`);
  const startedMs = performance.now();
  const { tally, output } = await step.run(context);
  if (tally.failed > 0 && output)
    process.stdout.write(output.endsWith('\n') ? output : `${output}\n`);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${mark(tally)} ${step.name} in ${seconds} s`);
  return tally;
}

function mark({ failed }: Tally): string {
  return failed === 0 ? paint('green', '✓') : paint('red', '✗');
}
