import { expect, test } from 'vitest';
import { plain } from '../paint.ts';
import { createPrinter } from './printer.ts';

function printed() {
  const lines: string[] = [];
  return { lines, printer: createPrinter((text) => lines.push(text.trimEnd()), plain) };
}

test('while parts start, their logs show from warn on; other lines always', () => {
  const { lines, printer } = printed();
  printer.partLine('api-1', '{"level":"info","msg":"listening"}');
  printer.partLine('api-1', '{"level":"warn","msg":"redis lost"}');
  printer.partLine('worker', 'bad configuration:');
  expect(lines).toEqual(['api-1        WARN redis lost', 'worker       bad configuration:']);
  printer.showAllLogs();
  printer.partLine('api-1', '{"level":"info","msg":"listening"}');
  expect(lines.at(-1)).toBe('api-1        listening');
});

test('every line of a stack has the prefix', () => {
  const { lines, printer } = printed();
  const err = { message: 'm', stack: 'Error: m\n at b.ts:1' };
  printer.partLine('api-1', JSON.stringify({ level: 'error', msg: 'a', err }));
  expect(lines).toEqual(['api-1        ERROR a err=m', 'api-1            at b.ts:1']);
});
