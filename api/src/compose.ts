import { randomBytes } from 'node:crypto';
import { readPurges } from '@lastframe/shared/frames/purge';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import { contain } from '@lastframe/shared/process/contain';
import type { Log } from '@lastframe/shared/process/log';
import { createFleetId } from '@lastframe/shared/redis/fleet-id';
import type { Keys } from '@lastframe/shared/redis/keys';
import { createFramesClock } from '@lastframe/shared/redis/redis-clock';
import type { RedisRoles } from '@lastframe/shared/redis/redis-roles';
import type { ApiConfig } from '@lastframe/shared/settings/config';
import type { LiveRules } from '@lastframe/shared/settings/live-rules';
import type { Metrics } from '@lastframe/shared/telemetry/metrics';
import type { Step } from '@lastframe/shared/telemetry/steps';
import type { Tracer } from '@lastframe/shared/telemetry/tracer';
import { heedAnnouncement, readWatched } from './announcements/handle-announcement.ts';
import { listenToAnnouncements } from './announcements/subscribe.ts';
import { createUnsentAnswers } from './answer/unsent-answers.ts';
import { createFrameReader } from './cache/frame-reader.ts';
import { createMemoryCache, markAllOutdated } from './cache/memory-cache.ts';
import { createPurges } from './cache/purge-history.ts';
import { createCameraList } from './camera-status/camera-list.ts';
import { createAskedNotes } from './camera-status/unmet-demand.ts';
import { createDemand } from './demand/demand.ts';
import { createFleetWatch } from './demand/fleet-status.ts';
import { createKeepWarm } from './demand/keep-warm.ts';
import { createViewers } from './demand/presence.ts';
import { createRefreshQueue } from './demand/refresh-queue.ts';
import { createColdWait } from './lookup/frame-waiters.ts';
import { createLive } from './streams/camera-feed.ts';
import { createStreams } from './streams/open-streams.ts';
import {
  countedColdWait,
  countedDemand,
  countedQueue,
  countedUnsent,
  createHearing,
  showCameras,
  showFleet,
  showMemory,
  showStreams,
} from './telemetry/metrics.ts';
import {
  createWants,
  followedDemand,
  followedNews,
  followedQueue,
  followedReader,
} from './telemetry/tracing.ts';

/** What a process has beside the flow: its settings, its eyes and its ears. */
export interface Tools {
  config: ApiConfig;
  rules: LiveRules;
  clock: Clock;
  keys: Keys;
  redis: RedisRoles;
  metrics: Metrics;
  step: Step;
  tracer: Tracer | undefined;
  log: Log;
}

const LOOK_EVERY_MS = 1000;
const HEARTBEAT_MS = 15_000;

/** The flow's parts in their order, connected: what a viewer asks for goes down, news come up. */
export type Flow = ReturnType<typeof connectFlow>;

export function connectFlow(tools: Tools) {
  const { config, rules, clock, keys, redis, metrics, step, tracer, log } = tools;
  const wants = createWants(tracer);
  const queueRedis = redis.queue('queue');
  const framesRedis = redis.frames('frames');

  const memory = createMemoryCache(config.memoryLimitBytes);
  showMemory(memory, config.memoryLimitBytes, metrics);
  const unsent = countedUnsent(metrics, config.maxUnsentBytes, (onCut) =>
    createUnsentAnswers({
      clock,
      minSendRate: config.minSendRate,
      maxUnsentBytes: config.maxUnsentBytes,
      keptBuffers: () => [...memory.values()].map(({ bytes }) => bytes.buffer),
      onCut,
      log,
    }),
  );
  const viewers = createViewers({ clock, memory });
  const purges = createPurges({
    clock,
    memory,
    read: () => readPurges(framesRedis, keys),
    log,
  });
  const framesClock = createFramesClock(clock);
  const reading = createFrameReader({
    clock,
    memory,
    isPresent: viewers.isPresent,
    purges,
    frames: framesRedis,
    keys,
    framesClock,
  });
  const reader = followedReader(reading, step);
  reader.onRead(({ cameraId }, _, { malformed: field }) => {
    if (field) log.warn({ cameraId, field }, 'malformed frame record in Redis ignored');
  });
  const fleet = createFleetWatch({ clock, queue: queueRedis, keys });
  showFleet(fleet, metrics);
  const fleetId = createFleetId(queueRedis, keys.fleet);
  const askerId = randomBytes(4).toString('hex');
  const jobs = createRefreshQueue(queueRedis, config.redisPrefix, askerId, fleet.trustedSinceMs);
  const queue = followedQueue(countedQueue(jobs, metrics), wants, step, tracer);
  const asking = createDemand({
    clock,
    memory,
    reader,
    viewers,
    fleet,
    queue,
    log,
    random: Math.random,
    askerId,
  });
  const demand = followedDemand(countedDemand(asking, metrics), wants, tracer);
  const keepWarm = createKeepWarm({ viewers, demand });
  const waiting = createColdWait({ clock, viewers, reader, maxWaiters: config.maxWaiters });
  const coldWait = countedColdWait(waiting, clock, metrics);
  // Wake waiters on any read, without waiting for the announcement. The request that caused the read
  // has its frame by then.
  reader.onRead((_, { held }) => {
    if (held) setImmediate(() => coldWait.wake(held));
  });
  const live = createLive({ memory, reader, viewers, demand, framesClock });
  reader.onRead((camera, { held }, stored) => live.heedRead(camera, held, stored));
  const streams = createStreams(config.maxStreams);
  rules.onChange(streams.follow);
  showStreams(streams, config.maxStreams, metrics);
  const named = { frames: framesRedis, keys, rules: rules.now, memory };
  const cameraList = createCameraList({ ...named, framesClock });
  showCameras(cameraList, metrics);
  const noteAsked = createAskedNotes({ ...named, clock, viewers });
  const news = { clock, memory, reader, viewers, demand, coldWait, purges, live, log };
  purges.onHardPurge((cameraId) => void readWatched(cameraId, news));
  const hear = createHearing(fleet, metrics);
  const heed = (announcement: Announcement) => {
    hear(announcement);
    heedAnnouncement(announcement, news);
  };
  const newsRedis = redis.frames('announcements', (link, shards) =>
    listenToAnnouncements(
      link,
      { publish: keys.publish, channels: keys.channels(shards) },
      followedNews(heed, wants, step),
      () => {
        markAllOutdated(memory);
        purges.missed();
        void purges.catchUp();
        demand.recheck();
      },
      log,
    ),
  );
  const links = { queue: queueRedis, frames: framesRedis, announcements: newsRedis };

  const look = () => Promise.all([fleet.look(), fleetId.look(), purges.catchUp()]);
  const lookAgain = () => {
    void look();
    void noteAsked();
    contain(live.look);
    contain(streams.look);
  };
  const timers: NodeJS.Timeout[] = [];
  return {
    memory,
    unsent,
    reader,
    fleet,
    fleetId,
    demand,
    coldWait,
    live,
    streams,
    framesClock,
    cameraList,
    links,
    /** A Redis that is there is waited for, so that the first request finds it; one that is away is not. */
    start: async (withinMs: number) => {
      await Promise.all(Object.values(links).map((link) => link.ready(withinMs)));
      await look();
      timers.push(setInterval(lookAgain, LOOK_EVERY_MS), setInterval(streams.beat, HEARTBEAT_MS));
      queueRedis.client.on('ready', () => void look());
      keepWarm(rules.now());
      rules.onChange(keepWarm);
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      coldWait.close();
      unsent.close();
      demand.close();
      await Promise.all(Object.values(links).map((link) => link.close()));
    },
  };
}
