import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from './log.ts';

interface Line {
  level: string;
  msg: string;
  [field: string]: unknown;
}

function openLog(level = 'info') {
  const texts: string[] = [];
  const log = createLog('test', level, { write: (text) => void texts.push(text) });
  const lines = (): Line[] => texts.map((text) => JSON.parse(text));
  return { log, texts, lines };
}

describe('a repeated line', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is logged twenty times a minute, then counted as omitted', () => {
    const { log, lines } = openLog();
    for (let n = 0; n < 1254; n += 1) log.warn({ cameraId: n, source: 'cams' }, 'camera failing');
    expect(lines().map(({ cameraId }) => cameraId)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
    vi.advanceTimersByTime(60_000);
    expect(lines()).toHaveLength(21);
    expect(lines().at(-1)).toMatchObject({
      level: 'warn',
      msg: 'camera failing: more lines like this were omitted',
      source: 'cams',
      omitted: 1234,
    });
    log.warn({ source: 'cams' }, 'camera failing');
    expect(lines()).toHaveLength(22);
    vi.advanceTimersByTime(600_000);
    expect(lines()).toHaveLength(22);
  });

  it('of one source hides no line of another, nor of a named camera, nor another message', () => {
    const { log, lines } = openLog();
    for (let n = 0; n < 100; n += 1) log.warn({ source: 'flooded' }, 'camera failing');
    log.warn({ source: 'quiet' }, 'camera failing');
    log.warn({ camera: 'door' }, 'camera failing');
    log.warn({ source: 'flooded' }, 'something else');
    log.error('camera failing');
    expect(lines()).toHaveLength(24);
  });

  it.each(['warn', 'error'] as const)('at %s is limited whatever its fields', (level) => {
    const { log, lines } = openLog();
    for (let n = 0; n < 100; n += 1) log[level]({ path: `/${n}` }, 'request failed');
    for (let n = 0; n < 100; n += 1) log[level]('a message alone');
    expect(lines()).toHaveLength(40);
  });

  it('at info is limited if it names a source; actions of an operator are always logged', () => {
    const { log, lines } = openLog();
    for (let n = 0; n < 100; n += 1) log.info({ cameraId: n }, 'purge requested by an operator');
    expect(lines()).toHaveLength(100);
    for (let n = 0; n < 100; n += 1) log.info({ source: 'cams' }, 'camera live again');
    expect(lines()).toHaveLength(120);
  });

  it('is always logged at level debug', () => {
    const { log, lines } = openLog('debug');
    for (let n = 0; n < 100; n += 1) log.warn({ source: 'cams' }, 'camera failing');
    expect(lines()).toHaveLength(100);
  });
});

describe('untrusted texts', () => {
  it.each([
    ['a line break', 'a\n{"level":"fatal"}\r\nb'],
    ['a colour', '\u001b[31mred\u001b[0m'],
    ['an eight-bit control sequence', '\u009b31mred\u0085'],
    ['a separator', 'a\u2028b\u2029c'],
    ['a change of direction', 'a\u202eb\u2066c'],
    ['NUL and DEL', 'a\u0000b\u007fc'],
  ])('with %s stay on one line of printable characters', (_, text) => {
    const { log, texts } = openLog();
    log.warn({ reason: text }, 'message');
    log.error({ err: new Error(text) }, 'message');
    for (const line of texts) {
      expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
      expect(() => JSON.parse(line)).not.toThrow();
    }
  });

  it('are truncated when too long, in errors too', () => {
    const { log, texts, lines } = openLog();
    const long = 'x'.repeat(1024 ** 2);
    log.warn({ reason: long }, 'message');
    log.error({ err: new Error(long) }, 'message');
    expect(lines()[0]?.reason).toBe(`${'x'.repeat(1000)}…`);
    for (const text of texts) expect(text.length).toBeLessThan(10_000);
  });

  it('leave an error its type, message and stack', () => {
    const { log, lines } = openLog();
    log.error({ err: new TypeError('why') }, 'message');
    const stack = expect.stringContaining('log.test.ts');
    expect(lines()[0]?.err).toMatchObject({ type: 'TypeError', message: 'why', stack });
  });
});
