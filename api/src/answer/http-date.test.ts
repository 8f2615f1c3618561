import { expect, it } from 'vitest';
import { parseHttpDate } from './http-date.ts';

const NOW_MS = Date.UTC(2026, 8, 22);

it.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37Z'],
  ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37Z'],
  ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37Z'],
  ['Tue Sep 22 10:00:00 2026', '2026-09-22T10:00:00Z'],
  ['Saturday, 06-Nov-76 08:49:37 GMT', '2076-11-06T08:49:37Z'],
  ['Saturday, 06-Nov-77 08:49:37 GMT', '1977-11-06T08:49:37Z'],
  ['Thu, 31 Dec 1998 23:59:60 GMT', '1999-01-01T00:00:00Z'],
  [' Sun, 06 Nov 1994 08:49:37 GMT ', '1994-11-06T08:49:37Z'],
])('%s is %s', (text, iso) => expect(parseHttpDate(text, NOW_MS)).toBe(Date.parse(iso)));

it.each([
  '',
  '0',
  '1',
  '-5',
  '2026',
  '2026-09-22T10:00:00Z',
  'Tue, 22 Sep 2026 10:00:00',
  'Tue, 22 Sep 2026 10:00:00 UTC',
  'Tue, 22 Sep 2026 10:00:00 +0000',
  'tue, 22 sep 2026 10:00:00 gmt',
  '22 Sep 2026 10:00:00 GMT',
  'Tue, 31 Jun 2026 10:00:00 GMT',
  'Tue, 00 Jun 2026 10:00:00 GMT',
  'Tue, 22 Sep 2026 24:00:00 GMT',
  'Tue, 22 Sep 2026 10:60:00 GMT',
  'Tue, 22 Sep 2026 10:00:61 GMT',
])('"%s" is not an HTTP date', (text) => expect(parseHttpDate(text, NOW_MS)).toBeUndefined());

it('text over 64 characters is not parsed', () => {
  const padded = (length: number) => 'Tue, 22 Sep 2026 10:00:00 GMT'.padEnd(length);
  expect(parseHttpDate(padded(64), NOW_MS)).toBeDefined();
  expect(parseHttpDate(padded(65), NOW_MS)).toBeUndefined();
});
