import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../../testing/fleet/fleet.ts';
import { raisePriority } from '../../testing/fleet/proc.ts';
import type { BenchContext } from '../figures/figure.ts';
import { withLargeFleet } from '../figures/with-fleet.ts';
import { type CallLog, createCallLog } from './call-log.ts';
import { type DemandLoad, startDemand } from './demand-load.ts';
import { type EventStreams, openEventStreams } from './event-streams.ts';
import { machineMs } from './machine-clock.ts';
import { openViewer } from './viewer.ts';

/** How many cameras are watched, and by how many workers they are called. */
export interface WatchedLoad {
  /** The case, such as `500 cameras`. */
  of: string;
  cameras: number;
  /** One by default. */
  workers?: number;
  /** Additional environment for api and worker. */
  env?: Record<string, string>;
}

/** A fleet that has settled; every camera has been watched for a while. */
export interface WatchedFleet {
  fleet: Fleet;
  /** Their URLs. */
  cameras: readonly string[];
  /** Those that are requested too, twice per interval. */
  requested: readonly string[];
  demand: DemandLoad;
  /** The streams of the requested cameras. */
  requestedStreams: EventStreams;
  /** The streams of all others. */
  otherStreams: EventStreams;
  log: CallLog;
  /** When the demand began, on the machine's clock. */
  beganMs: number;
}

export const INTERVAL_MS = 5000;
/** The cameras' own time. */
export const DELAY_MS = 2000;
/** How often the cameras' log is read. */
export const STEP_MS = 5000;
const MOST_REQUESTED = 500;

/**
 * Measures on two api processes whose cameras are all watched by event streams, then stops them.
 * @throws Error when the cameras' log shows a breach of the guarantee
 */
export async function withWatchedFleet<Result>(
  load: WatchedLoad,
  context: BenchContext,
  measure: (watched: WatchedFleet) => Promise<Result>,
): Promise<Result> {
  const env = { MAX_STREAMS: '20000', ...load.env };
  const sizes = { apis: 2, workers: load.workers ?? 1, intervalMs: INTERVAL_MS };
  context.showProgress(`${load.of}: starting`);
  return await withLargeFleet({ ...sizes, delayMs: DELAY_MS, env }, (fleet) =>
    measureWatched(fleet, load, context, measure),
  );
}

async function measureWatched<Result>(
  fleet: Fleet,
  load: WatchedLoad,
  { quick, showProgress }: BenchContext,
  measure: (watched: WatchedFleet) => Promise<Result>,
): Promise<Result> {
  const rampMs = quick ? 5000 : 30_000;
  const settleMs = quick ? 15_000 : 60_000;
  const cameras = Array.from({ length: load.cameras }, (_, n) => fleet.slow.camera(`camera-${n}`));
  const requested = cameras.slice(0, MOST_REQUESTED);
  const viewers = fleet.apis.map(({ url }) => openViewer(url));
  const log = createCallLog(fleet.slow);
  // Viewers have machines of their own: how long this process waits for a CPU must not count.
  raisePriority(process.pid);
  showProgress(`${load.of}: settling`);
  const beganMs = machineMs();
  const everyMs = INTERVAL_MS / 2;
  const demand = startDemand({ viewers, cameras: requested, everyMs, at: 'one', rampMs });
  const [requestedStreams, otherStreams] = await Promise.all([
    openEventStreams(fleet.apis, requested, rampMs),
    openEventStreams(fleet.apis, cameras.slice(MOST_REQUESTED), rampMs),
  ]);
  try {
    while (machineMs() < beganMs + settleMs) {
      await log.read();
      await sleep(Math.min(STEP_MS, Math.max(0, beganMs + settleMs - machineMs())));
    }
    await log.read();
    showProgress(`${load.of}: measuring`);
    const streams = { requestedStreams, otherStreams };
    return await measure({ fleet, cameras, requested, demand, ...streams, log, beganMs });
  } finally {
    requestedStreams.close();
    otherStreams.close();
    await demand.stop();
    for (const viewer of viewers) viewer.close();
    setPriority(process.pid, 0);
  }
}
