/** A fleet as docs/scaling.md describes it. */
export interface FleetShape {
  /** Cameras watched by at least one pod. */
  cameras: number;
  intervalMs: number;
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

/** The cost of one of each, in milliseconds of CPU on the machine that was measured. */
export interface CostConstants {
  worker: { refresh: number; wakeUp: number };
  redis: { refresh: number; wakeUp: number; read: number };
  api: { read: number; hear: number; request: number };
  /** Per second, regardless of load. */
  idle: { pod: number; worker: number; redis: number };
}

export interface Prediction {
  /** Redis scripts per refresh. */
  scripts: number;
  /** Per second, like all values below; 1,000 ms are one core. */
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

export function refreshesPerSecond({ cameras, intervalMs }: FleetShape): number {
  return (1000 * cameras) / intervalMs;
}

/** Returns the wake-ups per refresh. Each ends with one fetch that finds no job. */
export function wakeUpsPerRefresh(shape: FleetShape): number {
  const within = (refreshesPerSecond(shape) * WAKE_UP_MS) / 1000;
  return (1 - Math.exp(-within)) / within;
}

/** Each watching pod reads the new frame, and so does any other pod that a viewer reaches. */
function readsPerSecond(shape: FleetShape): number {
  return refreshesPerSecond(shape) * shape.watchingPods + shape.arrivalsPerSecond;
}

/** Add, fetch, take, finish, store and end; an empty fetch per wake-up; and the reads. */
export function scriptsPerRefresh(shape: FleetShape): number {
  return 6 + wakeUpsPerRefresh(shape) + readsPerSecond(shape) / refreshesPerSecond(shape);
}

/** What the constants are multiplied with for a second's CPU, in the constants' order. */
export const terms = {
  worker: (shape: FleetShape) => {
    const refreshes = refreshesPerSecond(shape);
    return [refreshes, refreshes * wakeUpsPerRefresh(shape)];
  },
  redis: (shape: FleetShape) => {
    const refreshes = refreshesPerSecond(shape);
    return [refreshes, refreshes * wakeUpsPerRefresh(shape), readsPerSecond(shape)];
  },
  api: (shape: FleetShape) => {
    const refreshes = refreshesPerSecond(shape);
    return [readsPerSecond(shape), refreshes * shape.pods, shape.requestsPerSecond];
  },
};

export function predict(
  shape: FleetShape,
  { worker, redis, api, idle }: CostConstants,
): Prediction {
  const { frameBytes, pods } = shape;
  const [refreshes, reads] = [refreshesPerSecond(shape), readsPerSecond(shape)];
  const weightedSum = (counts: number[], constants: object) =>
    Object.values(constants).reduce((sum, cost, n) => sum + cost * (counts[n] ?? 0), 0);
  return {
    scripts: scriptsPerRefresh(shape),
    workerMs: idle.worker + weightedSum(terms.worker(shape), worker),
    redisMs: idle.redis + weightedSum(terms.redis(shape), redis),
    apiMs: idle.pod * pods + weightedSum(terms.api(shape), api),
    inBytes: refreshes * (frameBytes + REFRESH_IN_BYTES) + reads * READ_IN_BYTES,
    outBytes: reads * frameBytes + refreshes * (REFRESH_OUT_BYTES + pods * ANNOUNCED_BYTES),
  };
}
