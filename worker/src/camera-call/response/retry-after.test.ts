import { describe, expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const now = 'Thu, 01 Jan 2026 00:00:00 GMT';

describe('retryAfterMs', () => {
  it.each([
    ['0', undefined, 0],
    ['30', undefined, 30_000],
    [' 30 ', undefined, 30_000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', now, 60_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', now, 0],
  ])('%j at %j is %d ms', (value, date, ms) => {
    expect(retryAfterMs(value, date)).toBe(ms);
  });

  it.each(['31536000', '9'.repeat(300), 'Fri, 01 Jan 2027 00:00:00 GMT'])(
    'L10: %.20j… is at most an hour',
    (value) => {
      expect([3_600_000, undefined]).toContain(retryAfterMs(value, now));
    },
  );

  it('L10: a year in seconds is one hour', () => {
    expect(retryAfterMs('31536000', undefined)).toBe(3_600_000);
  });

  it.each([
    [undefined, now],
    ['', now],
    ['soon', now],
    ['-5', now],
    ['1.5', now],
    ['Thu, 01 Jan 2026 00:01:00 GMT', undefined],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 'nonsense'],
    ['30'.padEnd(65), now],
    ['Thu, 01 Jan 2026 00:01:00 GMT', now.padEnd(65)],
  ])('%j with the date %j is ignored', (value, date) => {
    expect(retryAfterMs(value, date)).toBeUndefined();
  });
});
