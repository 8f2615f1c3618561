import { setTimeout as sleep } from 'node:timers/promises';
import { type OtlpReceiver, startOtlpReceiver } from '../testing/checks/otlp-receiver.ts';
import { quantileOf } from '../testing/checks/quantile.ts';
import {
  type BenchContext,
  type Figure,
  type Measured,
  measureCases,
  rowsOf,
  selectCases,
} from './figures/figure.ts';
import { metricsOf, metricTotal, metricValues } from './figures/metrics.ts';
import { refreshTraces, stageTimes } from './figures/trace-stages.ts';
import { machineMs } from './load/machine-clock.ts';
import {
  INTERVAL_MS,
  type WatchedFleet,
  type WatchedLoad,
  withWatchedFleet,
} from './load/watched-fleet.ts';

const CASES: readonly WatchedLoad[] = [1000, 2000, 3000, 5000].map((cameras) => ({
  of: `${cameras} cameras`,
  cameras,
}));
/** Traced refreshes end and are exported within this time. */
const EXPORT_MS = 8000;

export const stages: Figure = {
  name: 'stages',
  title: 'Where the time of a refresh goes',
  how: 'The load is that of *More cameras than the fleet can call*, with one worker. 2 % of the refreshes are traced for 30 s. The event-loop delay of the api is that of the slower process.',
  measure: (context) =>
    measureCases(selectCases(CASES, context), context, async (load) => {
      const otlp = await startOtlpReceiver();
      try {
        const env = {
          OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
          OTEL_TRACES_SAMPLER: 'traceidratio',
          OTEL_TRACES_SAMPLER_ARG: '0.02',
        };
        return await withWatchedFleet({ ...load, env }, context, (watched) =>
          measureStages(load, watched, otlp, context),
        );
      } finally {
        await otlp.close();
      }
    }),
};

async function measureStages(
  { of, cameras }: WatchedLoad,
  { fleet, log }: WatchedFleet,
  otlp: OtlpReceiver,
  { durationMs }: BenchContext,
): Promise<Measured[]> {
  // The event-loop delay is that since the previous scrape.
  await metricsOf(fleet.apis);
  const before = await metricsOf(fleet.workers);
  const [fromMs, fromUnixMs] = [machineMs(), Date.now()];
  await sleep(durationMs);
  const [toMs, toUnixMs] = [machineMs(), Date.now()];
  const after = await metricsOf(fleet.workers);
  const ofApis = await metricsOf(fleet.apis);
  await log.read();
  await sleep(EXPORT_MS);
  const traces = refreshTraces(otlp.spans, fromUnixMs, toUnixMs);
  const row = rowsOf(of);
  const duePerSecond = (1000 * cameras) / INTERVAL_MS;
  const failed = ['lastframe_jobs_total', 'outcome="failed"'] as const;
  return [
    ...stageTimes(traces).flatMap(({ what, timesMs }) => [
      row(`${what}, median`, 'ms', quantileOf(timesMs, 0.5)),
      row(`${what}, p95`, 'ms', quantileOf(timesMs, 0.95)),
    ]),
    row('event-loop delay of the worker, p99', 'ms', loopDelayMs(after)),
    row('event-loop delay of the api, p99', 'ms', loopDelayMs(ofApis)),
    row('due calls made', '%', (100 * log.perSecond(fromMs, toMs)) / duePerSecond),
    row('failed jobs', '', metricTotal(after, ...failed) - metricTotal(before, ...failed)),
    row('traced refreshes', '', traces.length),
  ];
}

/** Returns the greatest of the processes. */
function loopDelayMs(metrics: string): number {
  return 1000 * Math.max(0, ...metricValues(metrics, 'nodejs_eventloop_lag_p99_seconds'));
}
