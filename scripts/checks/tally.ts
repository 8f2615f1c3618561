/** Passed and failed checks; a tool that only passes or fails counts as one. */
export interface Tally {
  passed: number;
  failed: number;
}

/** The parts of Vitest's JSON report that are used. */
export interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: FileResult[];
}

interface FileResult {
  name: string;
  status: string;
  message?: string;
  assertionResults: { fullName: string; status: string; failureMessages?: string[] | null }[];
}

/**
 * @param report undefined when Vitest wrote none
 * @param succeeded whether its exit code was 0
 */
export function tallyOfVitest(report: VitestReport | undefined, succeeded: boolean): Tally {
  if (!report) return { passed: 0, failed: 1 };
  const passed = report.numPassedTests;
  const failed = report.numFailedTests + report.testResults.filter(hasFailedOutsideTests).length;
  return { passed, failed: failed || Number(!succeeded || passed === 0) };
}

/** Names each failed test with what it got: the end of the output is often all that is kept of it. */
export function failuresOfVitest(report: VitestReport | undefined): string[] {
  return (report?.testResults ?? []).flatMap((file) => {
    const { name, message, assertionResults } = file;
    // Of a hook's error, the report has no message.
    if (hasFailedOutsideTests(file)) return [`${name}\n${message || 'a hook failed; see above'}`];
    return assertionResults
      .filter(({ status }) => status === 'failed')
      .map((test) => `${name} > ${test.fullName}\n${ownLines(test.failureMessages ?? [])}`);
  });
}

/** Returns whether the file could not be loaded, or a hook failed before its tests ran. */
function hasFailedOutsideTests({ status, assertionResults }: FileResult): boolean {
  return status === 'failed' && assertionResults.every((test) => test.status !== 'failed');
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
