import { type Shard, shardOf } from './cluster/shard.ts';

/**
 * Every Redis key and channel. `prefix` is `REDIS_PREFIX`; BullMQ keeps the queue under
 * `<prefix>:refresh:…`.
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
  /** Where the camera's last response redirected to. */
  redirect(cameraId: string): string;
  calls(sourceName: string): string;
  rate(sourceName: string): string;
  /** Cameras that wait for one of the source's calls in flight to end, by since when. */
  waitingSince(sourceName: string): string;
  /** The same cameras, by when each counts as gone unless it asks again. */
  waitingUntil(sourceName: string): string;
  /** Unnamed cameras that the fleet keeps, by when each counts as idle. */
  places(sourceName: string): string;
  queueWaiting: string;
  queueActive: string;
  // On the frames Redis
  frame(cameraId: string): string;
  failure(cameraId: string): string;
  health(cameraId: string): string;
  /** When a camera was purged, for calls under way. */
  purged(cameraId: string): string;
  /** The list that contains a camera's purges. */
  purges(cameraId: string): string;
  /** The command to publish with; on a Redis Cluster, to the subscribers of one shard. */
  publish: 'PUBLISH' | 'SPUBLISH';
  /** The channel of a camera's announcements. */
  channel(cameraId: string): string;
  /** All channels of these shards. */
  channels(shards: readonly Shard[]): string[];
}

export const QUEUE_NAME = 'refresh';

/** @param sharded whether the frames Redis is a Cluster */
export function keysFor(prefix: string, { sharded = false } = {}): Keys {
  const channelOf = (shard: Shard) =>
    sharded ? `${prefix}:announcements:{${shard}}` : `${prefix}:announcements`;
  return {
    epoch: `${prefix}:epoch`,
    workerAlive: `${prefix}:worker-alive`,
    fleet: `${prefix}:fleet`,
    permit: (cameraId) => `${prefix}:permit:${cameraId}`,
    backoff: (cameraId) => `${prefix}:backoff:${cameraId}`,
    failures: (cameraId) => `${prefix}:failures:${cameraId}`,
    turn: (cameraId) => `${prefix}:turn:${cameraId}`,
    redirect: (cameraId) => `${prefix}:redirect:${cameraId}`,
    calls: (sourceName) => `${prefix}:calls:${sourceName}`,
    rate: (sourceName) => `${prefix}:rate:${sourceName}`,
    waitingSince: (sourceName) => `${prefix}:waiting:since:${sourceName}`,
    waitingUntil: (sourceName) => `${prefix}:waiting:until:${sourceName}`,
    places: (sourceName) => `${prefix}:places:${sourceName}`,
    queueWaiting: `${prefix}:${QUEUE_NAME}:wait`,
    queueActive: `${prefix}:${QUEUE_NAME}:active`,
    // In the slot of the shard, so that one script can read them all and publish.
    frame: (cameraId) => `${prefix}:frame:{${shardOf(cameraId)}}:${cameraId}`,
    failure: (cameraId) => `${prefix}:failure:{${shardOf(cameraId)}}:${cameraId}`,
    health: (cameraId) => `${prefix}:health:{${shardOf(cameraId)}}:${cameraId}`,
    purged: (cameraId) => `${prefix}:purged:{${shardOf(cameraId)}}:${cameraId}`,
    purges: (cameraId) =>
      sharded ? `${prefix}:purges:{${shardOf(cameraId)}}` : `${prefix}:purges`,
    publish: sharded ? 'SPUBLISH' : 'PUBLISH',
    channel: (cameraId) => channelOf(shardOf(cameraId)),
    channels: (shards) => [...new Set(shards.map(channelOf))],
  };
}
