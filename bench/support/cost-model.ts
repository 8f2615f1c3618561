/** A fleet on paper, as docs/scaling.md describes it. */
export interface FleetShape {
  /** Cameras that are watched somewhere. */
  cameras: number;
  intervalMs: number;
  frameBytes: number;
  /** Api processes. */
  pods: number;
  /** In how many of them a camera is watched. */
  watchingPods: number;
  /** Viewers' requests to all of them. */
  requestsPerSecond: number;
  /** Of these, how many come to a pod that didn't watch the camera: it reads the frame for them. */
  arrivalsPerSecond: number;
}

/** What one of each costs, in milliseconds of CPU on the machine where it was measured. */
export interface CostConstants {
  worker: { refresh: number; wakeUp: number };
  redis: { refresh: number; wakeUp: number; read: number };
  api: { read: number; hear: number; request: number };
  /** Each second, whatever is asked for. */
  idle: { pod: number; worker: number; redis: number };
}

export interface Prediction {
  /** Scripts that Redis runs for one refresh. */
  scripts: number;
  /** Each per second, in milliseconds: 1,000 is a core. */
  workerMs: number;
  redisMs: number;
  apiMs: number;
  inBytes: number;
  outBytes: number;
}

/** A job that comes alone wakes the worker for itself; the more come, the more share a wake-up. */
const WAKE_UP_MS = 2;
/** To Redis for one refresh beside the frame: the job, its lock and end, the permit, the announcements. */
const REFRESH_IN_BYTES = 4600;
/** A pod's read asks with two keys and an ETag. */
const READ_IN_BYTES = 260;
const REFRESH_OUT_BYTES = 600;
/** `started` and `frame`. */
const ANNOUNCED_BYTES = 620;

export function refreshesPerSecond({ cameras, intervalMs }: FleetShape): number {
  return (1000 * cameras) / intervalMs;
}

/** Of one refresh, how many find the worker asleep: then it looks once more, in vain, before it sleeps. */
export function wakeUpsPerRefresh(shape: FleetShape): number {
  const within = (refreshesPerSecond(shape) * WAKE_UP_MS) / 1000;
  return (1 - Math.exp(-within)) / within;
}

/** Each pod that watches reads the new frame, and one more for each viewer who comes to another pod. */
function readsPerSecond(shape: FleetShape): number {
  return refreshesPerSecond(shape) * shape.watchingPods + shape.arrivalsPerSecond;
}

/** add, fetch, take, finish, store, end; a fetch in vain for each wake-up; and the reads. */
export function scriptsPerRefresh(shape: FleetShape): number {
  return 6 + wakeUpsPerRefresh(shape) + readsPerSecond(shape) / refreshesPerSecond(shape);
}

/** The terms by which a second's CPU is counted, in the order of the constants. */
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
  const weighed = (counts: number[], constants: object) =>
    Object.values(constants).reduce((sum, cost, n) => sum + cost * (counts[n] ?? 0), 0);
  return {
    scripts: scriptsPerRefresh(shape),
    workerMs: idle.worker + weighed(terms.worker(shape), worker),
    redisMs: idle.redis + weighed(terms.redis(shape), redis),
    apiMs: idle.pod * pods + weighed(terms.api(shape), api),
    inBytes: refreshes * (frameBytes + REFRESH_IN_BYTES) + reads * READ_IN_BYTES,
    outBytes: reads * frameBytes + refreshes * (REFRESH_OUT_BYTES + pods * ANNOUNCED_BYTES),
  };
}
