import type { LoadResult } from './fire.ts';
import { histogram, histogramLines, percentile } from './latencies.ts';
import type { CallSummary } from './slow-api-calls.ts';

/** The figures of the first prototype: 100 connections for 10 s, three instances. */
const FIRST_TRY = {
  requestsPerSecond: 11_163,
  p50Ms: 3.7,
  p99Ms: 9.5,
  slowestMs: 3090,
};

export function reportLines(shots: LoadResult, calls: CallSummary): string[] {
  return [
    ...figureLines(shots),
    '',
    'Latency',
    ...histogramLines(histogram(shots.latenciesMs)),
    '',
    `Status codes: ${statusText(shots.statuses)}`,
    `Failures: ${shots.errors} errors, ${shots.timeouts} timeouts, ${otherThan2xx(shots.statuses)} responses other than 2xx`,
    callsText(calls),
  ];
}

function otherThan2xx(statuses: ReadonlyMap<number, number>): number {
  const others = [...statuses].filter(([status]) => status < 200 || status > 299);
  return others.reduce((sum, [, count]) => sum + count, 0);
}

/** Formats as `3.70 ms` or `3.09 s`. */
export function latencyText(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}

function figureLines({ latenciesMs, requestsPerSecond }: LoadResult): string[] {
  const row = (name: string, now: string, then: string) =>
    `${name.padEnd(12)} ${now.padStart(12)} ${then.padStart(12)}`;
  const latency = (share: number) => latencyText(percentile(latenciesMs, share));
  return [
    row('', 'now', 'first try*'),
    row('requests/s', wholeText(requestsPerSecond), wholeText(FIRST_TRY.requestsPerSecond)),
    row('p50', latency(0.5), latencyText(FIRST_TRY.p50Ms)),
    row('p90', latency(0.9), ''),
    row('p99', latency(0.99), latencyText(FIRST_TRY.p99Ms)),
    row('slowest', latency(1), latencyText(FIRST_TRY.slowestMs)),
    '* three instances, bodies of 34 bytes, another machine',
  ];
}

function statusText(statuses: ReadonlyMap<number, number>): string {
  const sorted = [...statuses].sort(([a], [b]) => a - b);
  return sorted.map(([status, count]) => `${status} × ${wholeText(count)}`).join(', ') || 'none';
}

function callsText({ count, leastGapMs }: CallSummary): string {
  const times = count === 1 ? 'once' : `${count} times`;
  const gap =
    leastGapMs === undefined ? '' : `; least time between two starts ${latencyText(leastGapMs)}`;
  return `Slow API: called ${times} during the load${gap}`;
}

function wholeText(value: number): string {
  return Math.round(value).toLocaleString('en');
}
