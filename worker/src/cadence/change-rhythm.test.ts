import { describe, expect, it } from 'vitest';
import { type ChangeWindow, expectedChange } from './change-rhythm.ts';

/** Windows of the given width around these times. */
const around = (timesMs: readonly number[], widthMs: number): ChangeWindow[] =>
  timesMs.map((ms, number) => ({ number, afterMs: ms - widthMs / 2, byMs: ms + widthMs / 2 }));

const expectedAfter = (windows: readonly ChangeWindow[]) => expectedChange(windows, windows.length);

describe('the next change', () => {
  it('is not expected before the second one', () => {
    expect(expectedAfter([])).toBeUndefined();
    expect(expectedAfter(around([1000], 10))).toBeUndefined();
  });

  it('comes as long after the last one as the others', () => {
    expect(expectedAfter(around([1000, 2000, 3000], 0))).toMatchObject({
      fromMs: 4000,
      toMs: 4000,
      periodMs: 1000,
    });
  });

  it('is known the better, the more windows it has to fit', () => {
    const widths = [2, 3, 4, 5, 6].map((count) => {
      const timesMs = Array.from({ length: count }, (_, n) => 1000 * n);
      const { fromMs = 0, toMs = 0 } = expectedAfter(around(timesMs, 100)) ?? {};
      expect((fromMs + toMs) / 2).toBeCloseTo(1000 * count);
      return toMs - fromMs;
    });
    expect(widths).toEqual(widths.toSorted((a, b) => b - a));
    expect(widths[0]).toBe(300);
    expect(widths.at(-1)).toBeLessThan(150);
  });

  it('is between all times that fit windows of any width', () => {
    const windows = [
      { number: 0, afterMs: 0, byMs: 900 },
      { number: 1, afterMs: 1050, byMs: 1100 },
      { number: 2, afterMs: 1500, byMs: 2600 },
    ];
    const { fromMs = 0, toMs = 0 } = expectedAfter(windows) ?? {};
    expect(fromMs).toBeGreaterThan(1100);
    // The first change at 0, the second at 1100, the third at 2200.
    expect(toMs).toBeCloseTo(3300);
  });

  it('allows for the deviation of changes that are only about regular', () => {
    const { fromMs, toMs } = expectedAfter(around([0, 1050, 1980, 3020], 0)) ?? {};
    expect(fromMs).toBeGreaterThan(3800);
    expect(toMs).toBeLessThan(4200);
  });

  it('is not expected after changes at random', () => {
    expect(expectedAfter(around([0, 1000, 1500, 4000], 10))).toBeUndefined();
  });

  it('is known less well, the more changes nobody saw', () => {
    const windows = around([0, 1000, 2000], 10);
    const widths = [3, 10, 50].map((number) => {
      const { fromMs = 0, toMs = 0 } = expectedChange(windows, number) ?? {};
      expect((fromMs + toMs) / 2).toBeCloseTo(1000 * number);
      return toMs - fromMs;
    });
    expect(widths).toEqual([20, 90, 490]);
  });

  it('forgets changes before a pause', () => {
    const { fromMs, toMs } = expectedAfter(around([0, 1000, 9000, 10_000, 11_000], 0)) ?? {};
    expect([fromMs, toMs]).toEqual([12_000, 12_000]);
  });
});
