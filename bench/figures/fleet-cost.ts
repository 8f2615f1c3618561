import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdict } from '../../testing/checks/checker.ts';
import { startDemand } from '../load/demand-load.ts';
import {
  type CameraFleet,
  type CameraFleetOptions,
  startCameraFleet,
} from '../servers/camera-fleet.ts';
import { cpuMs } from '../servers/cores.ts';
import { type Counts, commandCounts, difference, trafficOf } from '../servers/redis-stats.ts';
import type { BenchContext } from './figure.ts';

/** What refreshes cost a fleet. Values are per refresh unless noted. */
export interface FleetCost {
  refreshes: number;
  seconds: number;
  /** The measured period, on the machine's monotonic clock. */
  fromMs: number;
  toMs: number;
  pids: { apis: number[]; workers: number[] };
  /** The calls made as a share of those due. */
  shareOfDue: number;
  apiMs: number;
  workerMs: number;
  /** The queue Redis; the frames Redis counts separately if there is one. */
  redisMs: number;
  framesRedisMs: number;
  /** Jobs added, including those that were already queued. */
  jobs: number;
  /** Calls by command, including those inside scripts. */
  commands: Counts;
  inBytes: number;
  outBytes: number;
  usedBytesPerCamera: number;
  requests: number;
  failures: string[];
  verdict: Verdict;
}

export interface CostOptions extends CameraFleetOptions {
  cameras: number;
  /** Which api processes get the requests, as `DemandOptions.at`. */
  at: 'each' | 'one' | 'own';
  /** Time until all cameras are requested. */
  rampMs: number;
  settleMs: number;
  measureMs: number;
}

/** Starts a fleet, lets it settle under demand, and measures the cost of a refresh. */
export async function measureFleet(
  options: CostOptions,
  context: BenchContext,
  label: string,
): Promise<FleetCost> {
  const { cameras, intervalMs, at, rampMs, settleMs, measureMs } = options;
  context.showProgress(`${label}: starting`);
  const fleet = await startCameraFleet(options);
  try {
    const askers = fleet.apis.map(({ asker }) => asker);
    const { target } = fleet;
    context.showProgress(`${label}: first frames`);
    const load = startDemand({ askers, cameras, target, everyMs: intervalMs, at, rampMs });
    await sleep(rampMs + settleMs);
    load.takeResults();
    context.showProgress(`${label}: measuring`);
    const before = await readUsage(fleet);
    await sleep(measureMs);
    const after = await readUsage(fleet);
    const { requests: asked, failures } = load.takeResults();
    await load.stop();
    const made = (await fleet.calls()).filter(
      ({ startMs }) => startMs >= before.atMs && startMs < after.atMs,
    ).length;
    const seconds = (after.atMs - before.atMs) / 1000;
    const per = (count: number | undefined) => (count ?? 0) / made;
    const used = difference(after.counts, before.counts);
    const commands = Object.entries(difference(after.commands, before.commands));
    return {
      refreshes: made,
      seconds,
      fromMs: before.atMs,
      toMs: after.atMs,
      pids: {
        apis: fleet.apis.map(({ pid }) => pid),
        workers: fleet.workers.map(({ pid }) => pid),
      },
      shareOfDue: made / ((cameras * seconds * 1000) / intervalMs),
      apiMs: per(used.apiMs),
      workerMs: per(used.workerMs),
      redisMs: per(used.redisMs),
      framesRedisMs: per(used.framesRedisMs),
      jobs: per(used.adds),
      commands: Object.fromEntries(commands.map(([name, count]) => [name, per(count)])),
      inBytes: per(used.inBytes),
      outBytes: per(used.outBytes),
      usedBytesPerCamera: (after.counts.usedBytes ?? 0) / cameras,
      requests: per(asked),
      failures,
      verdict: await fleet.check(),
    };
  } finally {
    await fleet.stop();
  }
}

async function readUsage(fleet: CameraFleet) {
  const sum = (all: readonly { pid: number }[]) =>
    all.reduce((total, { pid }) => total + cpuMs(pid), 0);
  const counts: Counts = {
    apiMs: sum(fleet.apis),
    workerMs: sum(fleet.workers),
    redisMs: cpuMs(fleet.redis.pid),
    framesRedisMs: fleet.framesRedis ? cpuMs(fleet.framesRedis.pid) : 0,
    // BullMQ counts every add here, even for jobs that are already queued.
    adds: Number(await fleet.redis.command('GET', `${fleet.redisPrefix}:refresh:id`)),
    ...(await trafficOf(fleet.redis)),
  };
  const atMs = Number(process.hrtime.bigint()) / 1e6;
  return { atMs, counts, commands: await commandCounts(fleet.redis) };
}
