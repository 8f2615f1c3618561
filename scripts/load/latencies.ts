/** Upper bounds of the histogram's rows; each is about double the previous one. */
const BOUNDS_MS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

export interface HistogramRow {
  fromMs: number;
  /** Exclusive. */
  toMs: number;
  count: number;
}

/** Returns the smallest value that this share of the values does not exceed; 0 if none. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Returns the rows from the first to the last that is not empty. */
export function histogram(sorted: Float64Array): HistogramRow[] {
  const rows = [...BOUNDS_MS, Number.POSITIVE_INFINITY].map((toMs, index) => ({
    fromMs: BOUNDS_MS[index - 1] ?? 0,
    toMs,
    count: 0,
  }));
  for (const value of sorted) {
    const row = rows.find(({ toMs }) => value < toMs);
    if (row) row.count += 1;
  }
  const first = rows.findIndex(({ count }) => count > 0);
  const last = rows.findLastIndex(({ count }) => count > 0);
  return first === -1 ? [] : rows.slice(first, last + 1);
}

const BAR_WIDTH = 40;

export function histogramLines(rows: readonly HistogramRow[]): string[] {
  const total = rows.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(1, ...rows.map(({ count }) => count));
  return rows.map(({ fromMs, toMs, count }) => {
    const range = Number.isFinite(toMs) ? `${fromMs} – ${toMs} ms` : `over ${fromMs} ms`;
    const bar = '█'.repeat(Math.round((count / most) * BAR_WIDTH)) || (count > 0 ? '▏' : '');
    const share = `${((count / total) * 100).toFixed(1)} %`;
    return `${range.padStart(16)}  ${bar.padEnd(BAR_WIDTH)}  ${count.toLocaleString('en')} (${share})`;
  });
}
