import { describe, expect, it } from 'vitest';
import { isNotModified } from './conditional.ts';

const frame = { etag: '"sha256-abc"', changedAtMs: Date.UTC(2026, 8, 22, 10, 0, 0, 700) };
const changedAt = 'Tue, 22 Sep 2026 10:00:00 GMT';

const notModified = (ifNoneMatch?: string, ifModifiedSince?: string) =>
  isNotModified({ ifNoneMatch, ifModifiedSince }, frame);

it('a request without conditions never gets 304', () => {
  expect(notModified()).toBe(false);
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
  ])('%s matches the frame', (value) => expect(notModified(value)).toBe(true));

  it.each(['', '"x"', 'sha256-abc', '"sha256-abcd"', '"SHA256-ABC"', '"*"', '"x", *', 'w/"x"'])(
    '%s does not match',
    (value) => expect(notModified(value)).toBe(false),
  );

  it('overrides If-Modified-Since, both ways', () => {
    expect(notModified('"x"', changedAt)).toBe(false);
    expect(notModified('', changedAt)).toBe(false);
    expect(notModified('"sha256-abc"', 'Tue, 22 Sep 2020 10:00:00 GMT')).toBe(true);
  });
});

describe('If-Modified-Since', () => {
  it.each([changedAt, 'Tue, 22 Sep 2026 10:00:01 GMT', 'Tuesday, 22-Sep-26 10:00:00 GMT'])(
    '%s matches the frame',
    (value) => expect(notModified(undefined, value)).toBe(true),
  );

  it.each([
    'Tue, 22 Sep 2026 09:59:59 GMT',
    '2030-01-01',
    '2030-01-01T00:00:00Z',
    'Tue, 22 Sep 2030 10:00:00',
    '99999999999',
    'nonsense',
    '',
  ])('%s does not match', (value) => {
    expect(notModified(undefined, value)).toBe(false);
  });
});

it('a list of tags over 4096 characters never matches, whatever the date', () => {
  const list = (length: number) => `"sha256-abc", "${'x'.repeat(length - 16)}"`;
  expect(list(4097)).toHaveLength(4097);
  const frame = { etag: '"sha256-abc"', changedAtMs: 0 };
  const matches = (ifNoneMatch: string) =>
    isNotModified({ ifNoneMatch, ifModifiedSince: 'Tue, 22 Sep 2026 10:00:00 GMT' }, frame);
  expect([matches(list(4096)), matches(list(4097))]).toEqual([true, false]);
});
