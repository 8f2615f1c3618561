import { checkCalls, type Pause, type UpstreamCall } from '../../testing/checks/checker.ts';
import { quantileOf } from '../../testing/checks/quantile.ts';
import type { LoadResult } from './load.ts';

export interface FaultRecord {
  fault: string;
  fromS: number;
  toS: number;
  /** From the end of the fault until the upstream was called again. */
  recoveryS: number;
}

export interface ProofReport extends ReturnType<typeof figuresOf> {
  date: string;
  machine: string;
  versions: Record<string, string>;
  seed: number;
  durationS: number;
  intervalMs: number;
  cameras: number;
  faults: FaultRecord[];
  looksPerSecond: number;
  gaps: { atS: number; gapMs: number }[];
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
  const quantile = (share: number) => round(quantileOf(load.latenciesMs, share));
  return {
    verdict: checkCalls(calls, intervalMs, pauses),
    looks: load.requests,
    failures: load.failures,
    resets: load.resets,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    slowestMs: quantile(1),
    oldestServedS: Math.max(0, ...load.oldestAgeS.map(({ ageS }) => ageS)),
    oldestAgeS: load.oldestAgeS,
  };
}

/** Returns the proof's result as Markdown tables. */
export function reportTable(report: ProofReport): string {
  const { verdict } = report;
  const byFault = Object.entries(Object.groupBy(report.faults, ({ fault }) => fault)).map(
    ([fault, made = []]) => {
      const recoveries = made.map(({ recoveryS }) => recoveryS);
      const [median, longest] = [0.5, 1].map((share) => quantileOf(recoveries, share).toFixed(1));
      return `| ${fault} | ${made.length} | ${median} s | ${longest} s |`;
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
| faults injected | ${report.faults.length} |
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
