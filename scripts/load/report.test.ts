import { expect, test } from 'vitest';
import { histogramLines, latencyText, percentile, reportLines } from './report.ts';

const shots = {
  latenciesMs: Float64Array.from([1, 2, 3, 1500]),
  statuses: new Map([
    [503, 1],
    [200, 1234],
  ]),
  requestsPerSecond: 1234.5,
  errors: 2,
  timeouts: 3,
};

test('the figures are printed next to those of the first try', () => {
  const lines = reportLines(shots, { count: 2, leastGapMs: 5012 });
  expect(lines.find((line) => line.startsWith('requests/s'))).toMatch(/1,235\s+11,163$/);
  expect(lines.find((line) => line.startsWith('slowest'))).toMatch(/1\.50 s\s+3\.09 s$/);
});

test('all failures are counted', () => {
  const lines = reportLines(shots, { count: 2, leastGapMs: 5012 });
  expect(lines).toContain('Status codes: 200 × 1,234, 503 × 1');
  expect(lines).toContain('Failures: 2 errors, 3 timeouts, 1 responses other than 2xx');
});

test('the calls to the slow API are reported', () => {
  const last = (count: number, leastGapMs: number | undefined) =>
    reportLines(shots, { count, leastGapMs }).at(-1);
  expect(last(2, 5012)).toBe(
    'Slow API: called 2 times during the load; least time between two starts 5.01 s',
  );
  expect(last(1, undefined)).toBe('Slow API: called once during the load');
});

test('latencies are shown in a suitable unit', () => {
  expect([0.123, 9.99, 90.51, 3090].map(latencyText)).toEqual([
    '0.12 ms',
    '9.99 ms',
    '90.5 ms',
    '3.09 s',
  ]);
});

test('a percentile is one of the values', () => {
  const sorted = Float64Array.from([0.4, 1, 1.5, 3, 7, 7, 8, 9, 9.5, 6000]);
  expect([0.5, 0.9, 0.99, 1].map((share) => percentile(sorted, share))).toEqual([
    7, 9.5, 6000, 6000,
  ]);
  expect(percentile(new Float64Array(), 0.5)).toBe(0);
});

test('the histogram counts every value once, from the first non-empty row to the last', () => {
  const lines = histogramLines(Float64Array.from([0.5, 2, 2.5, 4.9, 9.5, 20_000]));
  const rows = lines.map((line) => line.trim().replace(/ {2,}[█▏ ]*/u, ': '));
  expect(rows.slice(0, 4)).toEqual([
    '0.5 – 1 ms: 1 (16.7 %)',
    '1 – 2 ms: 0 (0.0 %)',
    '2 – 5 ms: 3 (50.0 %)',
    '5 – 10 ms: 1 (16.7 %)',
  ]);
  expect(rows.at(-1)).toBe('over 10000 ms: 1 (16.7 %)');
  expect(histogramLines(new Float64Array())).toEqual([]);
});

test('the fullest row has the longest bar, and every non-empty row has a bar', () => {
  const lines = histogramLines(Float64Array.from([...Array(999).fill(1.5), 20_000]));
  expect(lines.at(0)).toBe(`        1 – 2 ms  ${'█'.repeat(40)}  999 (99.9 %)`);
  expect(lines.at(-1)).toBe(`   over 10000 ms  ▏${' '.repeat(39)}  1 (0.1 %)`);
});
