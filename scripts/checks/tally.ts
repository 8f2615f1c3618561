/** Passed and failed checks; a tool that only passes or fails counts as one. */
export interface Tally {
  passed: number;
  failed: number;
}

/** The parts of Vitest's JSON report that are used. */
export interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string; failureMessages?: string[] | null }[];
  }[];
}

/**
 * @param report undefined when Vitest wrote none
 * @param succeeded whether its exit code was 0
 */
export function tallyOfVitest(report: VitestReport | undefined, succeeded: boolean): Tally {
  if (!report) return { passed: 0, failed: 1 };
  // A file that cannot be loaded has no tests that could fail.
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const passed = report.numPassedTests;
  const failed = report.numFailedTests + unloadable.length;
  return { passed, failed: failed || Number(!succeeded || passed === 0) };
}

/** Names each failed test with what it got: the end of the output is often all that is kept of it. */
export function failuresOfVitest(report: VitestReport | undefined): string[] {
  return (report?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    if (status === 'failed' && assertionResults.length === 0) return [`${name}\n${message ?? ''}`];
    return assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => `${name} > ${test.fullName}\n${ownLines(test.failureMessages ?? [])}`);
  });
}

function ownLines(messages: readonly string[]): string {
  const lines = messages.flatMap((message) => message.split('\n'));
  return lines.filter((line) => !/^ +at .*(node_modules|<anonymous>)/.test(line)).join('\n');
}

/** The last line of `make test`. */
export function tallyLine(tallies: readonly Tally[]): string {
  const sum = (key: keyof Tally) => tallies.reduce((total, tally) => total + tally[key], 0);
  return `${sum('passed')} passed, ${sum('failed')} failed`;
}
