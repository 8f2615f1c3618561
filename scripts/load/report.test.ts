import { expect, test } from 'vitest';
import { latencyText, reportLines } from './report.ts';

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
