import { expect, test } from 'vitest';
import { type Paint, plain } from '../paint.ts';
import { formatLogEntry, parseLogLine, plainLine, printable } from './log-line.ts';

function formatted(fields: object, paint: Paint = plain): string {
  const entry = parseLogLine(JSON.stringify({ level: 'info', msg: 'hello', ...fields }));
  return entry ? formatLogEntry(entry, paint) : 'not understood';
}

test('a line has its local time, the message and the fields, without what the prefix says', () => {
  const time = new Date(2026, 0, 2, 3, 4, 5, 6).toISOString();
  const noise = { part: 'api', pid: 7, host: 'box' };
  expect(formatted({ time, ...noise, port: 8088, reason: 'no answer' })).toBe(
    '03:04:05.006 hello port=8088 reason="no answer"',
  );
});

test('levels other than info are shown, also as the numbers of a bare pino', () => {
  expect(formatted({ level: 'warn' })).toBe('WARN hello');
  expect(formatted({ level: 50 })).toBe('ERROR hello');
  expect(formatted({ level: 30, time: 'never' })).toBe('hello');
});

test('nested fields are shown as JSON, errors by message and stack', () => {
  const err = { type: 'Error', message: 'broken pipe', stack: 'Error: broken pipe\n    at a.ts:1' };
  expect(formatted({ list: [1, 2], nothing: null })).toBe('hello list=[1,2] nothing=null');
  expect(formatted({ err })).toBe('hello err="broken pipe"\n    at a.ts:1');
});

test('control characters never reach the terminal', () => {
  expect(formatted({ url: 'a\x1b[31mb\nc' })).toBe('hello url="a\\u001b[31mb\\nc"');
  expect(formatted({ msg: 'a\x1b[2Jb\rc' })).toBe('ab c');
  expect(printable('\x1b]0;title\x07tab\there')).not.toMatch(/[\x00-\x08\x0a-\x1f]/);
});

test('colours wrap the level and the names of fields', () => {
  const marked: Paint = (style, text) => `<${String(style)}>${text}</>`;
  expect(formatted({ level: 'error', a: 1 }, marked)).toContain('<red>ERROR</> hello <dim>a=</>1');
});

test.each(['', 'plain text', '{"level":"info"}', '{broken', '"msg"', 'null'])(
  '%j is no log line',
  (line) => expect(parseLogLine(line)).toBeUndefined(),
);

test('a line by itself has no time', () => {
  expect(plainLine('{"level":"info","time":0,"msg":"hello","a":1}')).toBe('hello a=1');
  expect(plainLine('something else')).toBe('something else');
});
