import { leastSquares } from './least-squares.ts';

/** A fleet as docs/scaling.md describes it. */
export interface FleetShape {
  refreshesPerSecond: number;
  frameBytes: number;
  /** Api processes. */
  pods: number;
  /** How many of them watch each camera. */
  watchingPods: number;
  /** Viewers' requests to all pods. */
  requestsPerSecond: number;
  /** Those that reach a pod that did not watch the camera and must read the frame. */
  arrivalsPerSecond: number;
}

type Part = 'worker' | 'redis' | 'api';

/** By part and by name: how often each costs CPU per second, or the CPU of one in milliseconds. */
export type Terms = Record<Part, Record<string, number>>;

/** Per second; 1,000 ms are one core. */
export interface Prediction {
  /** Redis scripts per refresh. */
  scripts: number;
  workerMs: number;
  redisMs: number;
  apiMs: number;
  inBytes: number;
  outBytes: number;
}

/** Jobs that arrive within this time share one wake-up of the worker. */
const WAKE_UP_MS = 2;
/** Per refresh, without the frame: the job, its lock and end, the permit, the announcements. */
const REFRESH_IN_BYTES = 4600;
/** A pod reads with two keys and an ETag. */
const READ_IN_BYTES = 260;
const REFRESH_OUT_BYTES = 600;
/** `started` and `frame`. */
const ANNOUNCED_BYTES = 620;

/** Returns what costs CPU per second. Each wake-up ends with one fetch that finds no job. */
export function termsOf(shape: FleetShape): Terms {
  const { refreshesPerSecond: refresh, pods, requestsPerSecond: request } = shape;
  const wakeUps = 1000 / WAKE_UP_MS;
  const wakeUp = wakeUps * (1 - Math.exp(-refresh / wakeUps));
  const read = readsPerSecond(shape);
  return {
    worker: { refresh, wakeUp, idle: 1 },
    redis: { refresh, wakeUp, read, idle: 1 },
    api: { read, announcement: refresh * pods, request, idle: pods },
  };
}

export function predict(shape: FleetShape, costs: Terms): Prediction {
  const { refreshesPerSecond: refreshes, frameBytes, pods } = shape;
  const terms = termsOf(shape);
  const reads = readsPerSecond(shape);
  const cpuMs = (part: Part) =>
    Object.entries(terms[part]).reduce((sum, [name, n]) => sum + n * (costs[part][name] ?? 0), 0);
  return {
    // Add, fetch, take, finish, store and end; an empty fetch per wake-up; and the reads.
    scripts: 6 + ((terms.worker.wakeUp ?? 0) + reads) / refreshes,
    workerMs: cpuMs('worker'),
    redisMs: cpuMs('redis'),
    apiMs: cpuMs('api'),
    inBytes: refreshes * (frameBytes + REFRESH_IN_BYTES) + reads * READ_IN_BYTES,
    outBytes: reads * frameBytes + refreshes * (REFRESH_OUT_BYTES + pods * ANNOUNCED_BYTES),
  };
}

/** Fits the CPU costs to measured fleets. */
export function fitCosts(fleets: readonly { shape: FleetShape; measured: Prediction }[]): Terms {
  const fitPart = (part: Part) => {
    const rows = fleets.map(({ shape, measured }) => {
      // Relative errors, so that all fleets weigh the same.
      const counts = Object.values(termsOf(shape)[part]);
      return counts.map((count) => count / measured[`${part}Ms`]);
    });
    const names = fleets[0] ? Object.keys(termsOf(fleets[0].shape)[part]) : [];
    const costs = leastSquares(rows);
    return Object.fromEntries(names.map((name, n) => [name, costs[n] ?? 0]));
  };
  return { worker: fitPart('worker'), redis: fitPart('redis'), api: fitPart('api') };
}

/** Each watching pod reads the new frame, and so does any other pod that a viewer reaches. */
function readsPerSecond({ refreshesPerSecond, watchingPods, arrivalsPerSecond }: FleetShape) {
  return refreshesPerSecond * watchingPods + arrivalsPerSecond;
}
