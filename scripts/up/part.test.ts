import { expect, test } from 'vitest';
import { type Part, startPart } from './part.ts';

function started(code: string) {
  const lines: string[] = [];
  let firstLine = () => {};
  const ready = new Promise<void>((resolve) => {
    firstLine = resolve;
  });
  const onLine = (line: string) => {
    lines.push(line);
    firstLine();
  };
  const args = ['-e', code];
  const options = { kind: 'api', name: 'api', command: process.execPath, args } as const;
  const part: Part = startPart({ ...options, env: process.env, onLine });
  return { part, lines, ready };
}

test('a part ends on SIGTERM within its grace period', async () => {
  const { part, ready } = started(
    "process.on('SIGTERM', () => process.exit(0)); console.log('up'); setInterval(() => {}, 1e3)",
  );
  await ready;
  await part.stop(5000);
  expect(await part.ended).toBe('ended with exit code 0');
});

test('a part is killed after its grace period', async () => {
  const { part, ready } = started(
    "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
  );
  await ready;
  await part.stop(50);
  expect(await part.ended).toBe('was ended by SIGKILL');
});

test('an unexpected end reports how it ended, and the last line of stderr', async () => {
  const { part, lines } = started(
    "console.log('hello'); console.error('bad news'); process.exit(3)",
  );
  expect(await part.ended).toBe('ended with exit code 3');
  expect(part.lastOutput()).toBe('bad news');
  expect(lines.sort()).toEqual(['bad news', 'hello']);
});

test('a missing program counts as an end too', async () => {
  const options = { kind: 'redis', name: 'redis', command: '/nowhere/redis', args: [] } as const;
  const part = startPart({ ...options, env: {}, onLine: () => {} });
  expect(await part.ended).toContain('cannot be started');
  await part.stop(50);
});
