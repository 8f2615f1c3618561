import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDurationMs, parseSizeBytes } from './units.ts';

describe('parseDurationMs', () => {
  it.each([
    ['1ms', 1],
    ['500ms', 500],
    ['5s', 5000],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['3650d', 315_360_000_000],
  ])('reads %s', (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  it.each(['', '5', '-5s', '+5s', '1e3ms', '5 s', ' 5s', '5S', '5sec', '.5s', '5.s', '5s5s', '∞s'])(
    'rejects %j, which is not a duration',
    (text) => expect(parseDurationMs(text)).toBeUndefined(),
  );

  it.each(['0s', '0ms', '0.4ms', '3651d', '99999999999999999999d'])(
    'rejects %s, which is zero or longer than ten years',
    (text) => expect(parseDurationMs(text)).toBeUndefined(),
  );

  it('returns whole positive milliseconds or nothing for any text', () => {
    const amount = fc.oneof(fc.nat().map(String), fc.double().map(String), fc.string());
    const unit = fc.constantFrom('ms', 's', 'm', 'h', 'd', '');
    fc.assert(
      fc.property(amount, unit, (number, of) => {
        const ms = parseDurationMs(number + of);
        expect(ms === undefined || (Number.isSafeInteger(ms) && ms > 0)).toBe(true);
      }),
    );
  });
});

describe('parseSizeBytes', () => {
  it.each([
    ['1B', 1],
    ['512KiB', 524_288],
    ['8MiB', 8_388_608],
    ['0.5GiB', 536_870_912],
  ])('reads %s', (text, bytes) => expect(parseSizeBytes(text)).toBe(bytes));

  it.each(['', '256', '256MB', '256M', '256mib', '-1MiB', '0MiB', '1e3B', '99999999999GiB'])(
    'rejects %j',
    (text) => expect(parseSizeBytes(text)).toBeUndefined(),
  );
});
