import { expect, it } from 'vitest';
import { conditionalHeaders, validatorsOf } from './validators.ts';

const DATE = 'Tue, 22 Sep 2026 10:00:05 GMT';
const BEFORE = 'Tue, 22 Sep 2026 10:00:04 GMT';

it.each([
  [{ etag: '"a"' }, { etag: '"a"' }],
  [{ etag: 'W/"a"' }, { etag: 'W/"a"' }],
  [{ etag: 'unquoted' }, { etag: 'unquoted' }],
  [{ 'last-modified': BEFORE, date: DATE }, { lastModified: BEFORE }],
  [
    { etag: '"a"', 'last-modified': BEFORE, date: DATE },
    { etag: '"a"', lastModified: BEFORE },
  ],
  [{ etag: '"a"', 'last-modified': DATE, date: DATE }, { etag: '"a"' }],
])('%j yields the validators %j', (headers, validators) => {
  expect(validatorsOf(headers)).toEqual(validators);
});

it.each([
  {},
  { etag: '' },
  { etag: `"${'x'.repeat(300)}"` },
  { etag: '"a\r\nEvil: header"' },
  { etag: '"ü"' },
  { 'last-modified': BEFORE },
  { 'last-modified': DATE, date: DATE },
  { 'last-modified': 'yesterday', date: DATE },
  { 'last-modified': BEFORE.padEnd(65), date: DATE },
  { 'last-modified': BEFORE, date: DATE.padEnd(65) },
])('%j yields no validators', (headers) => expect(validatorsOf(headers)).toBeUndefined());

it('sends a header for each validator, and none without validators', () => {
  expect(conditionalHeaders(undefined)).toEqual({});
  expect(conditionalHeaders({ etag: '"a"', lastModified: BEFORE })).toEqual({
    'If-None-Match': '"a"',
    'If-Modified-Since': BEFORE,
  });
});
