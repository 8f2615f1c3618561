/**
 * Every Redis key and channel. `prefix` is `REDIS_PREFIX`; BullMQ keeps the queue under
 * `<prefix>:refresh:…`. On a Redis Cluster all keys of the queue must share one slot, so its
 * prefix is written with a hash tag there, as in `{lastframe}`.
 */
export interface Keys {
  // On the queue Redis
  epoch: string;
  workerAlive: string;
  fleet: string;
  permit(cameraId: string): string;
  backoff(cameraId: string): string;
  failures(cameraId: string): string;
  turn(cameraId: string): string;
  calls(sourceName: string): string;
  rate(sourceName: string): string;
  queueWaiting: string;
  queueActive: string;
  // On the frames Redis
  frame(cameraId: string): string;
  failure(cameraId: string): string;
  health(cameraId: string): string;
  announcements: string;
}

export const QUEUE_NAME = 'refresh';

export function keysFor(prefix: string): Keys {
  return {
    epoch: `${prefix}:epoch`,
    workerAlive: `${prefix}:worker-alive`,
    fleet: `${prefix}:fleet`,
    permit: (cameraId) => `${prefix}:permit:${cameraId}`,
    backoff: (cameraId) => `${prefix}:backoff:${cameraId}`,
    failures: (cameraId) => `${prefix}:failures:${cameraId}`,
    turn: (cameraId) => `${prefix}:turn:${cameraId}`,
    calls: (sourceName) => `${prefix}:calls:${sourceName}`,
    rate: (sourceName) => `${prefix}:rate:${sourceName}`,
    queueWaiting: `${prefix}:${QUEUE_NAME}:wait`,
    queueActive: `${prefix}:${QUEUE_NAME}:active`,
    // One camera's keys share a slot, so that one script can read them all.
    frame: (cameraId) => `${prefix}:frame:{${cameraId}}`,
    failure: (cameraId) => `${prefix}:failure:{${cameraId}}`,
    health: (cameraId) => `${prefix}:health:{${cameraId}}`,
    announcements: `${prefix}:announcements`,
  };
}
