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
  /** `DURATION`, for figures without a duration of their own. */
  durationMs: number;
  /** `CASES`: some figures measure only the cases whose names match. */
  cases: RegExp;
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
  target?: Target;
}

export interface Target {
  text: string;
  isMet: boolean;
  /** Missing it fails the run; other missed targets are results. */
  isRequired?: true;
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

/** What the median should be; see `Target`. */
export interface Limit {
  most?: number;
  least?: number;
  isRequired?: true;
}

/** Returns a function that creates the rows of one case, each from the values of its rounds. */
export function rowsOf(of: string) {
  return (what: string, unit: string, values: number | number[], limit: Limit = {}): Measured => {
    const spread = spreadOf([values].flat());
    const target = targetOf(limit, spread.median);
    return { of, what, unit, ...spread, ...(target && { target }) };
  };
}

/** Returns the cases that `CASES` selects. */
export function selectCases<Case extends { of: string }>(
  all: readonly Case[],
  { cases }: BenchContext,
): Case[] {
  return all.filter(({ of }) => cases.test(of));
}

/** Measures one case after the other; only the first when quick. */
export async function measureCases<Case>(
  cases: readonly Case[],
  context: BenchContext,
  measure: (one: Case, context: BenchContext) => Promise<Measured[]>,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const one of context.quick ? cases.slice(0, 1) : cases)
    measured.push(...(await measure(one, context)));
  return measured;
}

export function numberText(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

function targetOf({ most, least, ...required }: Limit, value: number): Target | undefined {
  if (most !== undefined) return { text: `≤ ${most}`, isMet: value <= most, ...required };
  if (least !== undefined) return { text: `≥ ${least}`, isMet: value >= least, ...required };
  return undefined;
}
