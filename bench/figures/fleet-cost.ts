import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdict } from '../../testing/checks/checker.ts';
import type { Fleet } from '../../testing/fleet/fleet.ts';
import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';
import { type DemandOptions, startDemand } from '../load/demand-load.ts';
import { machineMs } from '../load/machine-clock.ts';
import { openViewer } from '../load/viewer.ts';
import type { BenchContext } from './figure.ts';
import { perRefresh, readUsage, type Usage } from './usage.ts';
import { withLargeFleet } from './with-fleet.ts';

/** A fleet and the demand on it. */
export interface FleetLoad {
  cameras: number;
  apis: number;
  workers?: number;
  intervalMs: number;
  /** The cameras' own time. */
  delayMs: number;
  /** The time between two requests for the same camera; an interval by default. */
  everyMs?: number;
  /** Which api processes get the requests; by default a different one each time. */
  at?: DemandOptions['at'];
  /** Keeps frames and announcements in a Redis of their own, without persistence. */
  separateFramesRedis?: boolean;
  /** How long to measure. A quick run measures one interval. */
  intervals: number;
}

/** What refreshes cost; the usage is per refresh. */
export interface FleetCost extends Usage {
  refreshesPerSecond: number;
  requestsPerSecond: number;
  /** The calls made as a share of those due. */
  shareOfDue: number;
  /** Requests that got no frame, or no response at all. */
  failures: string[];
  /** Ages of the frames served, from the start of their calls. */
  agesMs: number[];
  /** On all calls, from the first on. */
  verdict: Verdict;
}

/** Starts a fleet, lets it settle under demand, and measures the cost of a refresh. */
export async function measureFleet(
  label: string,
  load: FleetLoad,
  context: BenchContext,
): Promise<FleetCost> {
  context.showProgress(`${label}: starting`);
  const framesRedis = load.separateFramesRedis
    ? await startRedis({ args: ['--appendonly', 'no'] })
    : undefined;
  const env = framesRedis && { FRAMES_REDIS_URL: framesRedis.url };
  try {
    return await withLargeFleet({ ...load, ...(env && { env }) }, (fleet) =>
      measureUnderDemand(label, fleet, framesRedis, load, context),
    );
  } finally {
    await framesRedis?.stop();
  }
}

async function measureUnderDemand(
  label: string,
  fleet: Fleet,
  framesRedis: RedisServer | undefined,
  load: FleetLoad,
  { quick, showProgress }: BenchContext,
): Promise<FleetCost> {
  const { intervalMs, everyMs = intervalMs, at = 'one' } = load;
  const intervals = (count: number) => (quick ? 1 : count) * intervalMs;
  const viewers = fleet.apis.map(({ url }) => openViewer(url));
  const cameras = Array.from({ length: load.cameras }, (_, n) => fleet.slow.camera(`camera-${n}`));
  showProgress(`${label}: first frames`);
  const demand = startDemand({ viewers, cameras, everyMs, at, rampMs: intervals(2) });
  await sleep(intervals(4));
  demand.takeResults();
  showProgress(`${label}: measuring`);
  const before = await readUsage(fleet, framesRedis);
  const fromMs = machineMs();
  await sleep(intervals(load.intervals));
  const after = await readUsage(fleet, framesRedis);
  const toMs = machineMs();
  const { requests, failures, agesMs } = demand.takeResults();
  await demand.stop();
  for (const viewer of viewers) viewer.close();
  const calls = await fleet.slow.calls();
  const refreshes = calls.filter(({ startMs }) => startMs >= fromMs && startMs < toMs).length;
  const seconds = (toMs - fromMs) / 1000;
  return {
    ...perRefresh(before, after, refreshes),
    refreshesPerSecond: refreshes / seconds,
    requestsPerSecond: requests / seconds,
    shareOfDue: refreshes / ((load.cameras * (toMs - fromMs)) / intervalMs),
    failures,
    agesMs,
    verdict: await fleet.check(),
  };
}
