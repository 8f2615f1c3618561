import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdict } from '../../testing/checks/checker.ts';
import type { Fleet, Worker } from '../../testing/fleet/fleet.ts';
import { cpuMs } from '../../testing/fleet/proc.ts';
import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';
import { type DemandOptions, startDemand } from '../load/demand-load.ts';
import { openViewer } from '../load/viewer.ts';
import type { BenchContext } from './figure.ts';
import { withFleet } from './with-fleet.ts';

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

/** What a fleet has used since its start. */
interface Usage {
  apiMs: number;
  workerMs: number;
  /** The queue Redis; the frames Redis counts separately if there is one. */
  redisMs: number;
  framesRedisMs: number;
  /** Jobs added, including those that were already queued. */
  jobs: number;
  /** Jobs that the permit denied. */
  denied: number;
  /** Scripts run by the queue Redis. */
  scripts: number;
  /** Bytes into and out of the queue Redis. */
  inBytes: number;
  outBytes: number;
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

const CAMERA = join(import.meta.dirname, '../servers/quick-camera.ts');
/** In production the queue Redis must persist permits: an append-only file, synced every second. */
const QUEUE_REDIS = ['--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'];

/** Starts a fleet, lets it settle under demand, and measures the cost of a refresh. */
export async function measureFleet(
  label: string,
  load: FleetLoad,
  context: BenchContext,
): Promise<FleetCost> {
  context.showProgress(`${label}: starting`);
  const redis = await startRedis({ args: QUEUE_REDIS });
  const framesRedis = load.separateFramesRedis
    ? await startRedis({ args: ['--appendonly', 'no'] })
    : undefined;
  const env = {
    CONCURRENCY: '5000',
    MEMORY_LIMIT: '512MiB',
    ...(framesRedis && { FRAMES_REDIS_URL: framesRedis.url }),
  };
  try {
    return await withFleet({ ...load, redis, env, cameraScript: CAMERA }, (fleet) =>
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

function perRefresh(before: Usage, after: Usage, refreshes: number): Usage {
  const names = Object.keys(after) as (keyof Usage)[];
  const entries = names.map((name) => [name, (after[name] - before[name]) / refreshes]);
  return Object.fromEntries(entries) as Usage;
}

async function readUsage(fleet: Fleet, framesRedis: RedisServer | undefined): Promise<Usage> {
  const { redis, redisPrefix, apis, workers } = fleet;
  const info = String(await redis.command('INFO', 'everything'));
  return {
    apiMs: await cpuOf(apis),
    workerMs: await cpuOf(workers),
    redisMs: await cpuOf([redis]),
    framesRedisMs: await cpuOf(framesRedis ? [framesRedis] : []),
    // BullMQ counts every add here, even for jobs that are already queued.
    jobs: Number(await redis.command('GET', `${redisPrefix}:refresh:id`)),
    denied: sum(await Promise.all(workers.map(deniedJobs))),
    scripts: numberAfter(info, 'cmdstat_evalsha:calls='),
    inBytes: numberAfter(info, 'total_net_input_bytes:'),
    outBytes: numberAfter(info, 'total_net_output_bytes:'),
  };
}

/** Returns NaN where there is no `/proc`. */
async function cpuOf(processes: readonly { pid: number }[]): Promise<number> {
  return sum(await Promise.all(processes.map(({ pid }) => cpuMs(pid).catch(() => Number.NaN))));
}

async function deniedJobs({ opsUrl }: Worker): Promise<number> {
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
  return numberAfter(metrics, 'lastframe_jobs_total{outcome="denied"} ');
}

/** Returns 0 if the text does not contain the label. */
function numberAfter(text: string, label: string): number {
  const at = text.indexOf(label);
  return at < 0 ? 0 : Number.parseFloat(text.slice(at + label.length));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The clock of the cameras' log. */
function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
