import { expect, it } from 'vitest';
import { isNotModified } from './conditional.ts';

const validators = { etag: '"a"', lastModifiedMs: Date.parse('2026-03-01T12:00:00.900Z') };
const when = (ifNoneMatch?: string, ifModifiedSince?: string) =>
  isNotModified(validators, { ifNoneMatch, ifModifiedSince });

it('counts as modified for a call without conditions', () => {
  expect(when()).toBe(false);
});

it('matches a tag alone, in a list, weakly, or by *', () => {
  expect(['"a"', '"b", "a"', 'W/"a"', '*'].map((tags) => when(tags))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(when('"b"')).toBe(false);
});

it('lets the tag decide when there is a date too', () => {
  expect(when('"b"', 'Sun, 01 Mar 2026 13:00:00 GMT')).toBe(false);
});

it('compares dates in whole seconds and ignores invalid ones', () => {
  expect(when(undefined, 'Sun, 01 Mar 2026 12:00:00 GMT')).toBe(true);
  expect(when(undefined, 'Sun, 01 Mar 2026 11:59:59 GMT')).toBe(false);
  expect(when(undefined, 'yesterday')).toBe(false);
});
