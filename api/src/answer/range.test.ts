import { describe, expect, it } from 'vitest';
import { ifRangeHolds, rangeOf } from './range.ts';

describe('Range of 1000 bytes', () => {
  it.each([
    ['bytes=0-99', 0, 99],
    ['bytes=0-0', 0, 0],
    ['bytes=999-999', 999, 999],
    ['bytes=500-', 500, 999],
    ['bytes=0-', 0, 999],
    ['bytes=-1', 999, 999],
    ['bytes=-300', 700, 999],
    ['bytes=-5000', 0, 999],
    ['bytes=900-5000', 900, 999],
    ['bytes=900-99999999999999999999999', 900, 999],
    ['BYTES=1-2', 1, 2],
    ['bytes= 1-2 ', 1, 2],
  ])('%s is the part from %d to %d', (value, start, end) => {
    expect(rangeOf(value, 1000)).toEqual({ kind: 'part', start, end });
  });

  it.each(['bytes=1000-', 'bytes=1000-2000', 'bytes=-0', 'bytes=99999999999999999999-'])(
    '%s cannot be satisfied',
    (value) => expect(rangeOf(value, 1000)).toEqual({ kind: 'unsatisfiable' }),
  );

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=5-2',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=--5',
    'bytes=0-1,5-9',
    'bytes=0-1,',
    'lines=0-99',
    '0-99',
    'bytes:0-99',
  ])('%s gets the whole frame', (value) => {
    expect(rangeOf(value, 1000)).toEqual({ kind: 'whole' });
  });
});

describe('If-Range', () => {
  const frame = { etag: '"sha256-abc"', changedAtMs: Date.UTC(2026, 8, 22, 10, 0, 0, 700) };

  it.each([
    undefined,
    '"sha256-abc"',
    ' "sha256-abc" ',
    'Tue, 22 Sep 2026 10:00:00 GMT',
    'Tuesday, 22-Sep-26 10:00:00 GMT',
  ])('%s allows a range', (value) => expect(ifRangeHolds(value, frame)).toBe(true));

  it.each([
    '',
    'W/"sha256-abc"',
    '"x"',
    'sha256-abc',
    '*',
    '"x", "sha256-abc"',
    'Tue, 22 Sep 2026 10:00:01 GMT',
    'Tue, 22 Sep 2026 09:59:59 GMT',
    'nonsense',
  ])('%s does not', (value) => expect(ifRangeHolds(value, frame)).toBe(false));
});

it('a Range or If-Range over 256 characters gets the whole frame', () => {
  const padded = (text: string, length: number) => text + ' '.repeat(length - text.length);
  expect(rangeOf(padded('bytes=0-1', 256), 100).kind).toBe('part');
  expect(rangeOf(padded('bytes=0-1', 257), 100).kind).toBe('whole');
  const frame = { etag: '"a"', changedAtMs: 0 };
  expect(ifRangeHolds(padded('"a"', 256), frame)).toBe(true);
  expect(ifRangeHolds(padded('"a"', 257), frame)).toBe(false);
});
