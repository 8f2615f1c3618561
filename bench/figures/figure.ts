import type { Verdict } from '../../testing/checks/checker.ts';

/** One benchmark, in a file of its own. */
export interface Figure {
  /** The name of its files under docs/benchmarks. */
  name: string;
  title: string;
  /** How it is measured, for readers of its JSON file. */
  how: string;
  measure(context: BenchContext): Promise<Measured[]>;
}

export interface BenchContext {
  /** Only one short round and the first of several long cases: a smoke test. */
  quick: boolean;
  /** Reports progress. */
  showProgress(progress: string): void;
}

/** The median and range of several rounds. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Measured extends Spread {
  /** The case, such as `2 KB frame`. Rows of one case stand together. */
  of: string;
  /** What is measured, such as `nginx, p99`. */
  what: string;
  unit: string;
  /** Undefined for rows that only serve as a comparison. */
  target?: { text: string; isMet: boolean };
}

/** One figure's results, as in its JSON file. */
export interface Report {
  name: string;
  title: string;
  how: string;
  date: string;
  machine: string;
  versions: Record<string, string>;
  quick: boolean;
  measured: Measured[];
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** A target that the median meets when it is at least `least`. */
export function atLeast(spread: Spread, least: number): { text: string; isMet: boolean } {
  return { text: `≥ ${least}`, isMet: spread.median >= least };
}

/** A target that the median meets when it is at most `most`. */
export function atMost(spread: Spread, most: number): { text: string; isMet: boolean } {
  return { text: `≤ ${most}`, isMet: spread.median <= most };
}

/** Rows about the guarantee, from the camera's own log. */
export function guaranteeRows(of: string, { breaches, calls }: Verdict): Measured[] {
  const same = (value: number) => spreadOf([value]);
  const isMet = breaches.length === 0;
  return [
    { of, what: 'calls to the camera', unit: '', ...same(calls) },
    {
      of,
      what: 'breaches of the guarantee',
      unit: '',
      ...same(breaches.length),
      target: { text: '0', isMet },
    },
  ];
}

export function numberText(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
