import { expect, test } from 'vitest';
import { createPrinter, plainLine } from './printer.ts';

function printed() {
  const lines: string[] = [];
  return { lines, printer: createPrinter((text) => lines.push(text.trimEnd()), false) };
}

/** What is printed for a log line with these fields. */
function formatted(fields: object): string {
  const { lines, printer } = printed();
  printer.showAllLogs();
  printer.partLine('api-1', JSON.stringify({ level: 'info', ...fields }));
  return lines.join('\n');
}

test('while parts start, shows their logs from warn on, and all other lines', () => {
  const { lines, printer } = printed();
  printer.partLine('api-1', '{"level":"info","msg":"listening"}');
  printer.partLine('slow-server', '{"level":30,"msg":"listening"}');
  printer.partLine('api-1', '{"level":"warn","msg":"redis lost"}');
  printer.partLine('worker', 'bad configuration:');
  expect(lines).toEqual(['api-1        WARN: redis lost', 'worker       bad configuration:']);
  printer.showAllLogs();
  printer.partLine('api-1', '{"level":"info","msg":"listening"}');
  expect(lines.at(-1)).toBe('api-1        INFO: listening');
});

test('a line has local time, message and fields, without those in the prefix', () => {
  const time = new Date(2026, 0, 2, 3, 4, 5, 6).toISOString();
  const noise = { part: 'api', pid: 7, host: 'box' };
  expect(formatted({ time, ...noise, port: 8088, msg: 'listening' })).toBe(
    'api-1        [03:04:05.006] INFO: listening {"port":8088}',
  );
});

test('every line of a stack has the prefix', () => {
  const err = { message: 'm', stack: 'Error: m\n at b.ts:1' };
  const lines = formatted({ level: 'error', msg: 'a', err }).split('\n');
  expect(lines.filter((line) => !line.startsWith('api-1  '))).toEqual([]);
  expect(lines.some((line) => line.includes('at b.ts:1'))).toBe(true);
});

test('control characters never reach the terminal', () => {
  const texts = ['a\x1b[31mb', 'a\rb\x07', '\x9b2J', '\\x1b\\\\\x1b'];
  for (const text of texts) {
    expect(formatted({ msg: text, url: text })).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    expect(plainLine(`bad ${text}`)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
  }
});

test('the last output of a part is a sentence', () => {
  expect(plainLine('{"level":"fatal","time":0,"msg":"uncaught error"}')).toBe(
    'FATAL: uncaught error',
  );
  expect(plainLine('api: no port')).toBe('api: no port');
});
