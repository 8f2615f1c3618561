import {
  checkCalls,
  type Pause,
  type UpstreamCall,
  type Verdict,
} from '../../testing/checks/checker.ts';
import type { LoadResult } from './load.ts';

export interface FaultRecord {
  fault: string;
  fromS: number;
  toS: number;
  /** From the end of the fault until the upstream was called again. */
  recoveryS: number;
}

export interface ProofReport {
  date: string;
  machine: string;
  versions: Record<string, string>;
  seed: number;
  durationS: number;
  intervalMs: number;
  cameras: number;
  faults: FaultRecord[];
  verdict: Verdict;
  looks: number;
  looksPerSecond: number;
  failures: string[];
  resets: number;
  p50Ms: number;
  p99Ms: number;
  slowestMs: number;
  oldestServedS: number;
  gaps: { atS: number; gapMs: number }[];
  oldestAgeS: { atS: number; ageS: number }[];
}

export function gapsOf(calls: readonly UpstreamCall[], startMs: number): ProofReport['gaps'] {
  return [...Map.groupBy(calls, ({ url }) => url).values()].flatMap((ofCamera) =>
    ofCamera.slice(1).map((call, index) => ({
      atS: (call.startMs - startMs) / 1000,
      gapMs: call.startMs - (ofCamera[index]?.startMs ?? 0),
    })),
  );
}

export function figuresOf(
  load: LoadResult,
  { calls, pauses, intervalMs }: { calls: UpstreamCall[]; pauses: Pause[]; intervalMs: number },
) {
  const sorted = load.latenciesMs.toSorted((a, b) => a - b);
  const quantile = (q: number) => round(sorted[Math.floor(sorted.length * q)] ?? 0);
  return {
    verdict: checkCalls(calls, intervalMs, pauses),
    looks: load.requests,
    failures: load.failures,
    resets: load.resets,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    slowestMs: round(sorted.at(-1) ?? 0),
    oldestServedS: Math.max(0, ...load.oldestAgeS.map(({ ageS }) => ageS)),
    oldestAgeS: load.oldestAgeS,
  };
}

/** Returns the proof's result as Markdown tables. */
export function reportTable(report: ProofReport): string {
  const { verdict } = report;
  const byFault = Object.entries(Object.groupBy(report.faults, ({ fault }) => fault)).map(
    ([fault, made = []]) => {
      const recoveries = made.map(({ recoveryS }) => recoveryS).toSorted((a, b) => a - b);
      const median = recoveries[Math.floor(recoveries.length / 2)] ?? 0;
      return `| ${fault} | ${made.length} | ${median.toFixed(1)} s | ${(recoveries.at(-1) ?? 0).toFixed(1)} s |`;
    },
  );
  return `| figure | value |
|---|---|
| date, machine | ${report.date}, ${report.machine} |
| versions | ${Object.entries(report.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')} |
| duration, seed | ${Math.round(report.durationS)} s, ${report.seed} |
| cameras, interval | ${report.cameras}, ${report.intervalMs} ms |
| faults made | ${report.faults.length} |
| calls, pairs checked | ${verdict.calls}, ${verdict.pairs} |
| **breaches of the guarantee** | **${verdict.breaches.length}** |
| smallest gap | ${verdict.smallestGapMs.toFixed(1)} ms |
| requests | ${report.looks} (${report.looksPerSecond.toFixed(0)}/s) |
| **failed requests** | **${report.failures.length}** |
| connections reset because their process was killed | ${report.resets} |
| latency p50, p99, slowest | ${report.p50Ms} ms, ${report.p99Ms} ms, ${report.slowestMs} ms |
| oldest frame served, by its Age (by Redis's clock, which one of the faults shifts by up to an hour) | ${report.oldestServedS} s |

| fault | times | recovery, median | recovery, longest |
|---|---|---|---|
${byFault.toSorted().join('\n')}
`;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
