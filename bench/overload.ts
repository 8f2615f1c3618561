import { setTimeout as sleep } from 'node:timers/promises';
import { quantileOf } from '../testing/checks/quantile.ts';
import {
  type BenchContext,
  type Figure,
  type Measured,
  rowsOf,
  selectCases,
} from './figures/figure.ts';
import { metricsOf, metricTotal } from './figures/metrics.ts';
import { perRefresh, readUsage, type Usage } from './figures/usage.ts';
import { loggedUrl } from './load/call-log.ts';
import { backToFullDutyMs } from './load/full-duty.ts';
import { machineMs } from './load/machine-clock.ts';
import {
  INTERVAL_MS,
  STEP_MS,
  type WatchedFleet,
  type WatchedLoad,
  withWatchedFleet,
} from './load/watched-fleet.ts';
import { besideBusyLoops } from './servers/busy-loops.ts';

interface Case extends WatchedLoad {
  /** How long to measure. */
  seconds: number;
  /** Other processes that take as much CPU as they get. */
  busyLoops?: number;
}

interface Result extends Usage {
  case: Case;
  callsPerSecond: number;
  /** In the step with the fewest calls. */
  leastPerSecond: number;
  /** The age of the oldest picture of any camera, from the start of its call. */
  oldestMs: number;
  failedJobs: number;
  failedCalls: number;
  /** Calls that the worker gave up because it was late itself. */
  lateCalls: number;
  /** Jobs that the permit denied, as a share of all. */
  deniedShare: number;
  failedRequests: number;
  lostStreams: number;
  hitsMs: number[];
  /** From the end of the overload until the remaining cameras are called in time. */
  backToFullDutyMs: number;
}

const CASES: readonly Case[] = [
  { of: '500 cameras', cameras: 500, seconds: 60 },
  { of: '1000 cameras', cameras: 1000, seconds: 60 },
  { of: '2000 cameras', cameras: 2000, seconds: 60 },
  { of: '3000 cameras', cameras: 3000, seconds: 60 },
  { of: '5000 cameras', cameras: 5000, seconds: 300 },
  { of: '10000 cameras', cameras: 10_000, seconds: 300 },
  { of: '5000 cameras, 2 workers', cameras: 5000, workers: 2, seconds: 60 },
  { of: '5000 cameras, 4 workers', cameras: 5000, workers: 4, seconds: 60 },
  { of: '5000 cameras beside two busy loops', cameras: 5000, busyLoops: 2, seconds: 60 },
];

export const overload: Figure = {
  name: 'overload',
  title: 'More cameras than the fleet can call',
  how: 'Two api processes, one worker unless a row says more, and one Redis serve cameras that take 2 s and never fail, with 20 KB frames and an interval of 5 s. Event streams watch all cameras, 64 each, and 500 cameras are requested every 2.5 s: the hits. After a minute, the fleet is measured in steps of 5 s. The ceiling is the number of due calls, or the most calls per second that one worker made with any number of cameras, whichever is less; with more workers or busy loops it is the mean of the case itself. At the end the streams of all but the requested cameras close; the fleet is back to full duty when the first 5 s begin in which at least 95 % of these were called (30 s if it takes longer). The process of the viewers runs before all others, as if they had a machine of their own. CPU is the user and kernel time of api, worker and Redis together.',
  measure: async (context) => {
    const cases = selectCases(CASES, context);
    const results: Result[] = [];
    for (const one of context.quick ? cases.slice(0, 1) : cases)
      results.push(await measureCase(one, context));
    const compared = results.filter(hasCommonCeiling).map((result) => result.callsPerSecond);
    const most = Math.max(0, ...compared);
    return results.flatMap((result) => resultRows(result, most));
  },
};

async function measureCase(one: Case, context: BenchContext): Promise<Result> {
  const seconds = context.quick ? 10 : one.seconds;
  return await besideBusyLoops(one.busyLoops ?? 0, () =>
    withWatchedFleet(one, context, async (watched) => {
      const result = await measureSteps(watched, (1000 * seconds) / STEP_MS);
      context.showProgress(`${one.of}: back to full duty`);
      return { case: one, ...result, backToFullDutyMs: await backToFullDutyMs(watched) };
    }),
  );
}

async function measureSteps(watched: WatchedFleet, steps: number) {
  const { fleet, cameras, demand, log, beganMs, requestedStreams, otherStreams } = watched;
  const loggedUrls = cameras.map(loggedUrl);
  const usageBefore = await readUsage(fleet);
  const metricsBefore = await metricsOf(fleet.workers);
  demand.takeResults();
  const fromMs = machineMs();
  const perSecond: number[] = [];
  const oldestMs: number[] = [];
  let toMs = fromMs;
  for (let step = 0; step < steps; step += 1) {
    for (let second = 0; second < STEP_MS / 1000; second += 1) {
      await sleep(1000);
      await log.read();
    }
    const stepMs = toMs;
    toMs = machineMs();
    await log.read();
    perSecond.push(log.perSecond(stepMs, toMs));
    oldestMs.push(log.oldestPictureMs(loggedUrls, beganMs));
  }
  const usageAfter = await readUsage(fleet);
  const metricsAfter = await metricsOf(fleet.workers);
  const { failures, tookMs } = demand.takeResults();
  const added = (name: string, label?: string) =>
    metricTotal(metricsAfter, name, label) - metricTotal(metricsBefore, name, label);
  const callsPerSecond = log.perSecond(fromMs, toMs);
  return {
    ...perRefresh(usageBefore, usageAfter, (callsPerSecond * (toMs - fromMs)) / 1000),
    callsPerSecond,
    leastPerSecond: Math.min(...perSecond),
    oldestMs: Math.max(...oldestMs),
    failedJobs: added('lastframe_jobs_total', 'outcome="failed"'),
    failedCalls: added('lastframe_upstream_calls_total', 'outcome="failed"'),
    lateCalls: added('lastframe_upstream_calls_total', 'outcome="late"'),
    deniedShare: added('lastframe_jobs_total', 'outcome="denied"') / added('lastframe_jobs_total'),
    failedRequests: failures.length,
    lostStreams: requestedStreams.lost + otherStreams.lost,
    hitsMs: tookMs,
  };
}

/** Whether its ceiling is that of all cases with one worker and the machine to itself. */
const hasCommonCeiling = ({ case: { workers = 1, busyLoops = 0 } }: Result) =>
  workers === 1 && busyLoops === 0;

/** @param most the most calls per second of the cases with the common ceiling */
function resultRows(result: Result, most: number): Measured[] {
  const { of, cameras } = result.case;
  const { callsPerSecond, hitsMs } = result;
  const row = rowsOf(of);
  const duePerSecond = (1000 * cameras) / INTERVAL_MS;
  const isCompared = hasCommonCeiling(result);
  const ceiling = isCompared ? Math.min(duePerSecond, most) : callsPerSecond;
  const oldestLimit = Math.round((2 * cameras) / callsPerSecond + 5);
  const share = row('calls, of the ceiling', '%', (100 * callsPerSecond) / ceiling, { least: 95 });
  const least = (100 * result.leastPerSecond) / ceiling;
  return [
    row('calls', 'calls/s', callsPerSecond),
    row('due calls made', '%', (100 * callsPerSecond) / duePerSecond),
    ...(isCompared ? [share] : []),
    row('least calls in 5 s, of the ceiling', '%', least, { least: 60 }),
    row('oldest picture', 's', result.oldestMs / 1000, { most: oldestLimit }),
    row('failed jobs', '', result.failedJobs, { most: 0 }),
    row('failed calls', '', result.failedCalls, { most: 0 }),
    row('late calls', '', result.lateCalls),
    row('jobs denied by the permit', '%', 100 * result.deniedShare),
    row('requests without a frame', '', result.failedRequests, { most: 0 }),
    row('streams lost', '', result.lostStreams, { most: 0 }),
    row('hits, p99', 'ms', quantileOf(hitsMs, 0.99), { most: 50 }),
    row('hits, median', 'ms', quantileOf(hitsMs, 0.5)),
    row('CPU per refresh', 'ms', result.apiMs + result.workerMs + result.redisMs),
    row('Redis scripts per refresh', '', result.scripts, { most: 12 }),
    row('back to full duty', 's', result.backToFullDutyMs / 1000, { most: 10 }),
  ];
}
