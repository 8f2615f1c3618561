import type { Verdict } from '../../testing/checker.ts';

/** One thing that is measured, in a file of its own. */
export interface Figure {
  /** Of its files under docs/benchmarks. */
  name: string;
  title: string;
  /** How it is measured, for who reads the page. */
  how: string;
  measure(context: BenchContext): Promise<Measured[]>;
}

export interface BenchContext {
  /** One short round, and of long cases the first: enough to see that all works, too little for a figure. */
  quick: boolean;
  /** What is being done now. */
  say(progress: string): void;
}

/** The median of several rounds, with the least and the most. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Measured extends Spread {
  /** What it is of: `2 KB frame`. Rows of one case stand together. */
  of: string;
  /** `hits per second, nginx`. */
  what: string;
  unit: string;
  /** Not set: it is there to compare with. */
  target?: { text: string; isMet: boolean };
}

/** One figure's results, as its JSON file has them. */
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

/** A median that should be at least so much. */
export function atLeast(spread: Spread, least: number): { text: string; isMet: boolean } {
  return { text: `≥ ${least}`, isMet: spread.median >= least };
}

/** A median that should be at most so much. */
export function atMost(spread: Spread, most: number): { text: string; isMet: boolean } {
  return { text: `≤ ${most}`, isMet: spread.median <= most };
}

/** The guarantee, as the upstream's own log has it during the measurement. */
export function guaranteeKept(of: string, { breaches, calls }: Verdict): Measured[] {
  const same = (value: number) => spreadOf([value]);
  const isMet = breaches.length === 0;
  return [
    { of, what: 'calls of the camera', unit: '', ...same(calls) },
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
