import { permitLifeMs, spacingMs } from '@lastframe/shared/cameras/spacing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testSource } from '../test-support/cameras.ts';

const times = fc.record({
  intervalMs: fc.integer({ min: 1, max: 3_600_000 }),
  timeoutMs: fc.integer({ min: 1, max: 600_000 }),
  startAllowanceMs: fc.integer({ min: 1, max: 60_000 }),
});

describe('permit times', () => {
  it('S6: the spacing is the interval and a guard of 10 ms and a thousandth', () => {
    expect(spacingMs(testSource({ intervalMs: 5000 }))).toBe(5015);
    expect(spacingMs(testSource({ intervalMs: 250 }))).toBe(260.25);
  });

  it('S7: a permit outlives its call by two seconds plus the start allowance', () => {
    const slow = testSource({ intervalMs: 1000, timeoutMs: 20_000, startAllowanceMs: 1500 });
    expect(permitLifeMs(slow)).toBe(23_500);
    const rare = testSource({ intervalMs: 60_000, timeoutMs: 20_000, startAllowanceMs: 1500 });
    expect(permitLifeMs(rare)).toBe(60_070 + 1500);
  });

  it('S13: a permit lives for whole milliseconds, and never less than it must cover', () => {
    fc.assert(
      fc.property(times, (given) => {
        const source = testSource(given);
        const life = permitLifeMs(source);
        expect(Number.isInteger(life)).toBe(true);
        expect(life).toBeGreaterThanOrEqual(spacingMs(source) + given.startAllowanceMs);
        expect(life).toBeGreaterThanOrEqual(given.timeoutMs + 2000 + given.startAllowanceMs);
      }),
    );
  });
});
