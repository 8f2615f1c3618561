import { expect, test } from 'vitest';
import { histogram, histogramLines, percentile } from './latencies.ts';

const sorted = Float64Array.from([0.4, 1, 1.5, 3, 7, 7, 8, 9, 9.5, 6000]);

test('a percentile is one of the values', () => {
  expect(percentile(sorted, 0.5)).toBe(7);
  expect(percentile(sorted, 0.9)).toBe(9.5);
  expect(percentile(sorted, 0.99)).toBe(6000);
  expect(percentile(sorted, 1)).toBe(6000);
  expect(percentile(new Float64Array(), 0.5)).toBe(0);
});

test('the histogram counts every value once, from the first non-empty row to the last', () => {
  const rows = histogram(sorted);
  expect(rows.slice(0, 5)).toEqual([
    { fromMs: 0, toMs: 0.5, count: 1 },
    { fromMs: 0.5, toMs: 1, count: 0 },
    { fromMs: 1, toMs: 2, count: 2 },
    { fromMs: 2, toMs: 5, count: 1 },
    { fromMs: 5, toMs: 10, count: 5 },
  ]);
  expect(rows.at(-1)).toEqual({ fromMs: 5000, toMs: 10_000, count: 1 });
  expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(sorted.length);
  expect(histogram(new Float64Array())).toEqual([]);
});

test('the fullest row has the longest bar, and every non-empty row has a bar', () => {
  const rows = [
    { fromMs: 1, toMs: 2, count: 999 },
    { fromMs: 10_000, toMs: Number.POSITIVE_INFINITY, count: 1 },
  ];
  const [full, slow] = histogramLines(rows);
  expect(full).toBe(`        1 – 2 ms  ${'█'.repeat(40)}  999 (99.9 %)`);
  expect(slow).toBe(`   over 10000 ms  ▏${' '.repeat(39)}  1 (0.1 %)`);
});
