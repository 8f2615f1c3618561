import { expect, test } from 'vitest';
import { tallyLine, tallyOfVitest } from './tally.ts';

const report = { numPassedTests: 5, numFailedTests: 0, testResults: [] };
const file = (status: string, tests: number) => ({
  status,
  assertionResults: Array.from({ length: tests }, () => ({})),
});

test('the numbers of passed and failed tests come from the report', () => {
  expect(tallyOfVitest(report, true)).toEqual({ passed: 5, failed: 0 });
  expect(tallyOfVitest({ ...report, numFailedTests: 2 }, false)).toEqual({ passed: 5, failed: 2 });
});

test('a test file that cannot be loaded counts as a failure', () => {
  const testResults = [file('failed', 0), file('passed', 5)];
  expect(tallyOfVitest({ ...report, testResults }, false)).toEqual({ passed: 5, failed: 1 });
});

test('a failed file whose tests failed is not counted twice', () => {
  const failing = { ...report, numFailedTests: 2, testResults: [file('failed', 2)] };
  expect(tallyOfVitest(failing, false)).toEqual({ passed: 5, failed: 2 });
});

test('a crash, a bad exit code and a run without tests count as failures', () => {
  expect(tallyOfVitest(undefined, false)).toEqual({ passed: 0, failed: 1 });
  expect(tallyOfVitest(undefined, true)).toEqual({ passed: 0, failed: 1 });
  expect(tallyOfVitest(report, false)).toEqual({ passed: 5, failed: 1 });
  expect(tallyOfVitest({ ...report, numPassedTests: 0 }, true)).toEqual({ passed: 0, failed: 1 });
});

test('the last line is the sum of all tallies', () => {
  const tallies = [
    { passed: 1, failed: 0 },
    { passed: 0, failed: 1 },
    { passed: 40, failed: 2 },
  ];
  expect(tallyLine(tallies)).toBe('41 passed, 3 failed');
  expect(tallyLine([])).toBe('0 passed, 0 failed');
});
