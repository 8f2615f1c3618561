import { expect, test } from 'vitest';
import { failuresOfVitest, tallyLine, tallyOfVitest } from './tally.ts';

const report = { numPassedTests: 5, numFailedTests: 0, testResults: [] };
const file = (status: string, tests: number, statusOfTests = status) => ({
  name: 'a.test.ts',
  status,
  message: tests === 0 ? 'no such module' : '',
  assertionResults: Array.from({ length: tests }, (_, n) => ({
    fullName: `test ${n}`,
    status: statusOfTests,
    failureMessages:
      statusOfTests === 'failed'
        ? [`Error: got ${n}\n    at a.test.ts:1:2\n    at node_modules/run.js`]
        : [],
  })),
});

test('the numbers of passed and failed tests come from the report', () => {
  expect(tallyOfVitest(report, true)).toEqual({ passed: 5, failed: 0 });
  expect(tallyOfVitest({ ...report, numFailedTests: 2 }, false)).toEqual({ passed: 5, failed: 2 });
});

test('a test file that cannot be loaded counts as a failure', () => {
  const testResults = [file('failed', 0), file('passed', 5)];
  expect(tallyOfVitest({ ...report, testResults }, false)).toEqual({ passed: 5, failed: 1 });
});

test('a failed hook counts as a failure, also beside failed tests', () => {
  const testResults = [file('failed', 3, 'skipped'), file('failed', 2)];
  const failing = { ...report, numFailedTests: 2, testResults };
  expect(tallyOfVitest(failing, false)).toEqual({ passed: 5, failed: 3 });
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

test('each failure has its file, its test and its message, without the frames of libraries', () => {
  const testResults = [
    file('passed', 2),
    file('failed', 2),
    file('failed', 0),
    file('failed', 1, 'skipped'),
  ];
  expect(failuresOfVitest({ ...report, testResults })).toEqual([
    'a.test.ts > test 0\nError: got 0\n    at a.test.ts:1:2',
    'a.test.ts > test 1\nError: got 1\n    at a.test.ts:1:2',
    'a.test.ts\nno such module',
    'a.test.ts\na hook failed; see above',
  ]);
  expect(failuresOfVitest(undefined)).toEqual([]);
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
