import { expect, test } from 'vitest';
import { processBirth } from '../up/process-birth.ts';
import { runTool } from './run-tool.ts';

function run(code: string, signal = new AbortController().signal) {
  const args = ['-e', code];
  const options = { env: process.env, cwd: process.cwd(), live: false, signal };
  return runTool({ command: process.execPath, args, ...options });
}

test('a tool ends well with exit code 0 only, and what it printed is kept', async () => {
  expect(await run("console.log('fine')")).toEqual({ endedWell: true, output: 'fine\n' });
  const bad = await run("console.error('bad'); process.exit(2)");
  expect(bad).toEqual({ endedWell: false, output: 'bad\n' });
});

test('nothing that a tool started outlives it', async () => {
  const inner = `[process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }]`;
  const { endedWell, output } = await run(
    `console.log(require('child_process').spawn(...${inner}).pid); process.exit(0)`,
  );
  expect(endedWell).toBe(true);
  await expect.poll(() => processBirth(Number(output))).toBeUndefined();
});

test('an interrupted tool is ended', async () => {
  const interrupted = new AbortController();
  const running = run('setInterval(() => {}, 1000)', interrupted.signal);
  interrupted.abort();
  expect((await running).endedWell).toBe(false);
});

test('nothing is started after an interruption', async () => {
  const end = await run("console.log('started')", AbortSignal.abort());
  expect(end).toEqual({ endedWell: false, output: 'interrupted' });
});
