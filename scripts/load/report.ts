import type { LoadResult } from './run-load.ts';
import type { CallSummary } from './slow-api-calls.ts';

/** Upper bounds of the histogram's rows; each is about double the previous one. */
const BOUNDS_MS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, Infinity];
const BAR_WIDTH = 40;

export function reportLines(
  { latenciesMs, statuses, requestsPerSecond, errors, timeouts }: LoadResult,
  { count, leastGapMs }: CallSummary,
): string[] {
  const latency = (share: number) => latencyText(percentile(latenciesMs, share));
  const sorted = [...statuses].sort(([a], [b]) => a - b);
  const others = sorted.filter(([status]) => status < 200 || status > 299);
  const times = count === 1 ? 'once' : `${count} times`;
  const gap =
    leastGapMs === undefined ? '' : `; least time between two starts ${latencyText(leastGapMs)}`;
  return [
    figureLine('', 'now', 'first try*'),
    figureLine('requests/s', wholeText(requestsPerSecond), '11,163'),
    figureLine('p50', latency(0.5), '3.70 ms'),
    figureLine('p90', latency(0.9), ''),
    figureLine('p99', latency(0.99), '9.50 ms'),
    figureLine('slowest', latency(1), '3.09 s'),
    '* three instances, bodies of 34 bytes, another machine',
    '',
    'Latency',
    ...histogramLines(latenciesMs),
    '',
    `Status codes: ${sorted.map(([status, n]) => `${status} × ${wholeText(n)}`).join(', ') || 'none'}`,
    `Failures: ${errors} errors, ${timeouts} timeouts, ${others.reduce((sum, [, n]) => sum + n, 0)} responses other than 2xx`,
    `Slow API: called ${times} during the load${gap}`,
  ];
}

function figureLine(name: string, now: string, firstTry: string): string {
  return `${name.padEnd(12)} ${now.padStart(12)} ${firstTry.padStart(12)}`;
}

/** Returns the smallest value that this share of the values does not exceed; 0 if none. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Returns a bar for each row from the first to the last that is not empty. */
export function histogramLines(latenciesMs: Float64Array): string[] {
  const rows = BOUNDS_MS.map((toMs, index) => {
    const fromMs = BOUNDS_MS[index - 1] ?? 0;
    const count = latenciesMs.filter((ms) => ms >= fromMs && ms < toMs).length;
    return { range: toMs === Infinity ? `over ${fromMs} ms` : `${fromMs} – ${toMs} ms`, count };
  });
  const most = Math.max(...rows.map(({ count }) => count));
  const lines = rows.map(({ range, count }) => {
    const bar = '█'.repeat(Math.round((count / most) * BAR_WIDTH)) || (count > 0 ? '▏' : '');
    const share = ((count / latenciesMs.length) * 100).toFixed(1);
    return `${range.padStart(16)}  ${bar.padEnd(BAR_WIDTH)}  ${wholeText(count)} (${share} %)`;
  });
  const isFull = ({ count }: { count: number }) => count > 0;
  return lines.slice(Math.max(0, rows.findIndex(isFull)), rows.findLastIndex(isFull) + 1);
}

/** Formats as `3.70 ms` or `3.09 s`. */
export function latencyText(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}

function wholeText(value: number): string {
  return Math.round(value).toLocaleString('en');
}
