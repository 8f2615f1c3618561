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
import { handleAnnouncement, readIfWatched } from './announcements/handle-announcement.ts';
import { subscribeToAnnouncements } from './announcements/subscribe.ts';
import { createUnsentAnswers } from './answer/unsent-answers.ts';
import { createFrameReader } from './cache/frame-reader.ts';
import { createMemoryCache, markAllOutdated } from './cache/memory-cache.ts';
import { createPurgeHistory } from './cache/purge-history.ts';
import { createCameraList } from './camera-status/camera-list.ts';
import { createUnmetDemand } from './camera-status/unmet-demand.ts';
import { createDemand } from './demand/demand.ts';
import { createFleetStatus } from './demand/fleet-status.ts';
import { createKeepWarm } from './demand/keep-warm.ts';
import { createPresence } from './demand/presence.ts';
import { createRefreshQueue } from './demand/refresh-queue.ts';
import { createFrameWaiters } from './lookup/frame-waiters.ts';
import { createCameraFeed } from './streams/camera-feed.ts';
import { createOpenStreams } from './streams/open-streams.ts';
import {
  createAnnouncementMetrics,
  exposeCameraMetrics,
  exposeFleetMetrics,
  exposeMemoryMetrics,
  exposeStreamMetrics,
  withDemandMetrics,
  withQueueMetrics,
  withUnsentMetrics,
  withWaiterMetrics,
} from './telemetry/metrics.ts';
import {
  createPendingRequests,
  withAnnouncementTracing,
  withDemandTracing,
  withQueueTracing,
  withReaderTracing,
} from './telemetry/tracing.ts';

/** What a process has beside the flow: its settings, its eyes and its ears. */
export interface Context {
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
export type Parts = ReturnType<typeof compose>;

export function compose(tools: Context) {
  const { config, rules, clock, keys, redis, metrics, step, tracer, log } = tools;
  const wants = createPendingRequests(tracer);
  const queueRedis = redis.queue('queue');
  const framesRedis = redis.frames('frames');

  const memory = createMemoryCache(config.memoryLimitBytes);
  exposeMemoryMetrics(memory, config.memoryLimitBytes, metrics);
  const unsent = withUnsentMetrics(metrics, config.maxUnsentBytes, (onCut) =>
    createUnsentAnswers({
      clock,
      minSendRate: config.minSendRate,
      maxUnsentBytes: config.maxUnsentBytes,
      keptBuffers: () => [...memory.values()].map(({ bytes }) => bytes.buffer),
      onCut,
      log,
    }),
  );
  const viewers = createPresence({ clock, memory });
  const purges = createPurgeHistory({
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
  const reader = withReaderTracing(reading, step);
  reader.onRead(({ cameraId }, _, { malformed: field }) => {
    if (field) log.warn({ cameraId, field }, 'malformed frame record in Redis ignored');
  });
  const fleet = createFleetStatus({ clock, queue: queueRedis, keys });
  exposeFleetMetrics(fleet, metrics);
  const fleetId = createFleetId(queueRedis, keys.fleet);
  const askerId = randomBytes(4).toString('hex');
  const jobs = createRefreshQueue(queueRedis, config.redisPrefix, askerId, fleet.trustedSinceMs);
  const queue = withQueueTracing(withQueueMetrics(jobs, metrics), wants, step, tracer);
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
  const demand = withDemandTracing(withDemandMetrics(asking, metrics), wants, tracer);
  const keepWarm = createKeepWarm({ viewers, demand });
  const waiting = createFrameWaiters({ clock, viewers, reader, maxWaiters: config.maxWaiters });
  const coldWait = withWaiterMetrics(waiting, clock, metrics);
  // Wake waiters on any read, without waiting for the announcement. The request that caused the read
  // has its frame by then.
  reader.onRead((_, { held }) => {
    if (held) setImmediate(() => coldWait.wake(held));
  });
  const live = createCameraFeed({ memory, reader, viewers, demand, framesClock });
  reader.onRead((camera, { held }, stored) => live.onRead(camera, held, stored));
  const streams = createOpenStreams(config.maxStreams);
  rules.onChange(streams.applyRules);
  exposeStreamMetrics(streams, config.maxStreams, metrics);
  const named = { frames: framesRedis, keys, rules: rules.now, memory };
  const cameraList = createCameraList({ ...named, framesClock });
  exposeCameraMetrics(cameraList, metrics);
  const noteAsked = createUnmetDemand({ ...named, clock, viewers });
  const news = { clock, memory, reader, viewers, demand, coldWait, purges, live, log };
  purges.onHardPurge((cameraId) => void readIfWatched(cameraId, news));
  const hear = createAnnouncementMetrics(fleet, metrics);
  const heed = (announcement: Announcement) => {
    hear(announcement);
    handleAnnouncement(announcement, news);
  };
  const newsRedis = redis.frames('announcements', (link, shards) =>
    subscribeToAnnouncements(
      link,
      { publish: keys.publish, channels: keys.channels(shards) },
      withAnnouncementTracing(heed, wants, step),
      () => {
        markAllOutdated(memory);
        purges.onMissedAnnouncements();
        void purges.catchUp();
        demand.recheck();
      },
      log,
    ),
  );
  const links = { queue: queueRedis, frames: framesRedis, announcements: newsRedis };

  const look = () => Promise.all([fleet.poll(), fleetId.poll(), purges.catchUp()]);
  const lookAgain = () => {
    void look();
    void noteAsked();
    contain(live.poll);
    contain(streams.poll);
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
      timers.push(
        setInterval(lookAgain, LOOK_EVERY_MS),
        setInterval(streams.sendHeartbeats, HEARTBEAT_MS),
      );
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
