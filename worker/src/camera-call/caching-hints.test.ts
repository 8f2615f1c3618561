import { describe, expect, it } from 'vitest';
import { cachingHintsOf } from './caching-hints.ts';

const DATE = 'Tue, 22 Sep 2026 10:00:00 GMT';
const IN_A_MINUTE = 'Tue, 22 Sep 2026 10:01:00 GMT';
const A_MINUTE_AGO = 'Tue, 22 Sep 2026 09:59:00 GMT';

describe('a response may be kept', () => {
  it.each([
    ['for its max-age', { 'cache-control': 'public, max-age=60' }, 60_000],
    [
      'for its s-maxage, which is for shared caches',
      { 'cache-control': 'max-age=5, s-maxage=60' },
      60_000,
    ],
    ['whatever the case and the quotes', { 'cache-control': 'Max-Age = "60"' }, 60_000],
    ['for less if it comes from a cache', { 'cache-control': 'max-age=60', age: '45' }, 15_000],
    ['until it expires', { expires: IN_A_MINUTE, date: DATE }, 60_000],
    [
      'for its max-age even if it has expired',
      { 'cache-control': 'max-age=60', expires: DATE, date: DATE },
      60_000,
    ],
  ])('%s', (_, fields, expiresInMs) => {
    expect(cachingHintsOf(fields).expiresInMs).toBe(expiresInMs);
  });

  it.each([
    ['says nothing', {}],
    ['is not to be stored', { 'cache-control': 'no-store, max-age=60' }],
    ['is to be checked each time', { 'cache-control': 'max-age=60, no-cache' }],
    ['is already old', { 'cache-control': 'max-age=60', age: '61' }],
    ['has expired', { expires: A_MINUTE_AGO, date: DATE }],
    ['expires at no time', { expires: '0', date: 'never' }],
    ['has no date to compare', { expires: IN_A_MINUTE }],
    ['has a nonsensical max-age', { 'cache-control': 'max-age=-1' }],
    ['has a very long header', { 'cache-control': `max-age=60, ${'x'.repeat(5000)}` }],
  ])('for no known time if it %s', (_, fields) => {
    expect(cachingHintsOf(fields).expiresInMs).toBeUndefined();
  });
});

describe('a picture', () => {
  it('changed as long ago as the camera says', () => {
    const fields = { 'last-modified': A_MINUTE_AGO, date: DATE };
    expect(cachingHintsOf(fields).changedAgoMs).toBe(60_000);
    expect(cachingHintsOf({ ...fields, age: '5' }).changedAgoMs).toBe(65_000);
  });

  it.each([
    ['without a date', { 'last-modified': A_MINUTE_AGO }],
    ['changed in the future', { 'last-modified': IN_A_MINUTE, date: DATE }],
    ['with a malformed date', { 'last-modified': 'yesterday', date: DATE }],
  ])('%s changed at an unknown time', (_, fields) => {
    expect(cachingHintsOf(fields).changedAgoMs).toBeUndefined();
  });

  it('is a copy if it has been in a cache', () => {
    expect(cachingHintsOf({ age: '1' }).isCopy).toBe(true);
    expect(cachingHintsOf({ age: '0' }).isCopy).toBe(false);
    expect(cachingHintsOf({ age: 'old' }).isCopy).toBe(false);
  });
});
