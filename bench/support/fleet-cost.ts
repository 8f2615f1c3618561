import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdict } from '../../testing/checker.ts';
import { type CameraFleet, type CameraFleetOptions, startCameraFleet } from './camera-fleet.ts';
import { cpuMs } from './cores.ts';
import { startDemand } from './demand-load.ts';
import type { BenchContext } from './figure.ts';
import { type Counts, commandCounts, difference, trafficOf } from './redis-stats.ts';

/** What a fleet used for its refreshes in a while; everything is per refresh, unless its name says otherwise. */
export interface FleetCost {
  refreshes: number;
  seconds: number;
  /** That while, on the machine's monotonic clock. */
  fromMs: number;
  toMs: number;
  pids: { apis: number[]; workers: number[] };
  /** Of the calls that were due in that while. */
  shareOfDue: number;
  apiMs: number;
  workerMs: number;
  /** The queue Redis, and the one for frames if it is another. */
  redisMs: number;
  framesRedisMs: number;
  /** Jobs asked for, those that were already there included. */
  adds: number;
  /** As clients sent them: what a script runs is not counted again. */
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
  /** Each camera is asked for once an interval: at every api process, at another one each time, or at its own. */
  at: 'each' | 'one' | 'own';
  /** All cameras are asked for from then on. */
  rampMs: number;
  settleMs: number;
  measureMs: number;
}

/** Starts a fleet, lets it settle under demand, and measures what a refresh costs it. */
export async function measureFleet(
  options: CostOptions,
  context: BenchContext,
  label: string,
): Promise<FleetCost> {
  const { cameras, intervalMs, at, rampMs, settleMs, measureMs } = options;
  context.say(`${label}: starting`);
  const fleet = await startCameraFleet(options);
  try {
    const askers = fleet.apis.map(({ asker }) => asker);
    const { target } = fleet;
    context.say(`${label}: first frames`);
    const load = startDemand({ askers, cameras, target, everyMs: intervalMs, at, rampMs });
    await sleep(rampMs + settleMs);
    load.take();
    context.say(`${label}: measuring`);
    const before = await look(fleet);
    await sleep(measureMs);
    const after = await look(fleet);
    const { asked, failures } = load.take();
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
      adds: per(used.adds),
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

async function look(fleet: CameraFleet) {
  const sum = (all: readonly { pid: number }[]) =>
    all.reduce((total, { pid }) => total + cpuMs(pid), 0);
  const counts: Counts = {
    apiMs: sum(fleet.apis),
    workerMs: sum(fleet.workers),
    redisMs: cpuMs(fleet.redis.pid),
    framesRedisMs: fleet.framesRedis ? cpuMs(fleet.framesRedis.pid) : 0,
    // BullMQ counts every add there, kept or not.
    adds: Number(await fleet.redis.command('GET', `${fleet.redisPrefix}:refresh:id`)),
    ...(await trafficOf(fleet.redis)),
  };
  const atMs = Number(process.hrtime.bigint()) / 1e6;
  return { atMs, counts, commands: await commandCounts(fleet.redis) };
}
