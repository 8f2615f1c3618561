/** Passed and failed checks; a tool that only says yes or no counts as one. */
export interface Tally {
  passed: number;
  failed: number;
}

/** The part of Vitest's JSON report that counts. */
export interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: unknown[] }[];
}

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (total, { passed, failed }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
    }),
    { passed: 0, failed: 0 },
  );
}

/**
 * @param report undefined when Vitest wrote none
 * @param endedWell whether its exit code was 0
 */
export function tallyOfVitest(report: VitestReport | undefined, endedWell: boolean): Tally {
  if (!report) return { passed: 0, failed: 1 };
  // A file that can't even be loaded has no tests of its own that could fail.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const passed = report.numPassedTests;
  const failed = report.numFailedTests + broken.length;
  const ranNothing = passed + failed === 0;
  const failedOtherwise = failed === 0 && (!endedWell || ranNothing);
  return { passed, failed: failedOtherwise ? 1 : failed };
}

/** The last line of `make test`. */
export function tallyLine({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}
