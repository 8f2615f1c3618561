import { expect, test } from 'vitest';
import { processBirth } from '../up/process-birth.ts';
import { runTool } from './run-tool.ts';

function run(code: string, signal = new AbortController().signal) {
  const args = ['-e', code];
  const options = { env: process.env, cwd: process.cwd(), live: false, signal };
  return runTool({ command: process.execPath, args, ...options });
}

test('a tool succeeds only with exit code 0, and its output is kept', async () => {
  expect(await run("console.log('fine')")).toEqual({ succeeded: true, output: 'fine\n' });
  const bad = await run("console.error('bad'); process.exit(2)");
  expect(bad).toEqual({ succeeded: false, output: 'bad\n' });
});

test('no process that a tool started outlives it', async () => {
  const inner = `[process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }]`;
  const { succeeded, output } = await run(
    `console.log(require('child_process').spawn(...${inner}).pid); process.exit(0)`,
  );
  expect(succeeded).toBe(true);
  await expect.poll(() => processBirth(Number(output))).toBeUndefined();
});

test('an interrupted tool is ended', async () => {
  const interrupted = new AbortController();
  const running = run('setInterval(() => {}, 1000)', interrupted.signal);
  interrupted.abort();
  expect((await running).succeeded).toBe(false);
});

test('no tool starts after an interruption', async () => {
  const end = await run("console.log('started')", AbortSignal.abort());
  expect(end).toEqual({ succeeded: false, output: 'interrupted' });
});
