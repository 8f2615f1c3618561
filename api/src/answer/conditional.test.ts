import { describe, expect, it } from 'vitest';
import { isNotModified } from './conditional.ts';

const frame = { etag: '"sha256-abc"', changedAtMs: Date.UTC(2026, 8, 22, 10, 0, 0, 700) };
const changedAt = 'Tue, 22 Sep 2026 10:00:00 GMT';

const asked = (ifNoneMatch?: string, ifModifiedSince?: string) =>
  isNotModified({ ifNoneMatch, ifModifiedSince }, frame);

it('is never the answer to a request without conditions', () => {
  expect(asked()).toBe(false);
});

describe('If-None-Match', () => {
  it.each([
    '"sha256-abc"',
    'W/"sha256-abc"',
    '"x", "sha256-abc"',
    '"x",W/"sha256-abc","y"',
    '"with, a comma", "sha256-abc"',
    '*',
    ' * ',
  ])('%s has the frame', (value) => expect(asked(value)).toBe(true));

  it.each(['', '"x"', 'sha256-abc', '"sha256-abcd"', '"SHA256-ABC"', '"*"', '"x", *', 'w/"x"'])(
    '%s has it not',
    (value) => expect(asked(value)).toBe(false),
  );

  it('beats If-Modified-Since, both ways', () => {
    expect(asked('"x"', changedAt)).toBe(false);
    expect(asked('', changedAt)).toBe(false);
    expect(asked('"sha256-abc"', 'Tue, 22 Sep 2020 10:00:00 GMT')).toBe(true);
  });
});

describe('If-Modified-Since', () => {
  it.each([changedAt, 'Tue, 22 Sep 2026 10:00:01 GMT', 'Tuesday, 22-Sep-26 10:00:00 GMT'])(
    '%s has the frame',
    (value) => expect(asked(undefined, value)).toBe(true),
  );

  it.each([
    'Tue, 22 Sep 2026 09:59:59 GMT',
    '2030-01-01',
    '2030-01-01T00:00:00Z',
    'Tue, 22 Sep 2030 10:00:00',
    '99999999999',
    'nonsense',
    '',
  ])('%s has it not', (value) => {
    expect(asked(undefined, value)).toBe(false);
  });
});

it('a list of tags over 4096 characters is not read, and dates do not count beside it', () => {
  const list = (length: number) => `"sha256-abc", "${'x'.repeat(length - 16)}"`;
  expect(list(4097)).toHaveLength(4097);
  const frame = { etag: '"sha256-abc"', changedAtMs: 0 };
  const ask = (ifNoneMatch: string) =>
    isNotModified({ ifNoneMatch, ifModifiedSince: 'Tue, 22 Sep 2026 10:00:00 GMT' }, frame);
  expect([ask(list(4096)), ask(list(4097))]).toEqual([true, false]);
});
