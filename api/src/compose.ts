import { randomBytes } from 'node:crypto';
import type { RequestListener, Server } from 'node:http';
import { hostname } from 'node:os';
import { getRequestListener } from '@hono/node-server';
import { purgeCamera, readPurges } from '@lastframe/shared/frames/purge';
import { NO_HOST } from '@lastframe/shared/http/http-server';
import { createOpsServer } from '@lastframe/shared/http/ops-server';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import { runIsolated } from '@lastframe/shared/process/run-isolated';
import { createFleetId } from '@lastframe/shared/redis/fleet-id';
import { createFramesClock } from '@lastframe/shared/redis/redis-clock';
import type { ApiConfig } from '@lastframe/shared/settings/config';
import type { ProcessContext } from '@lastframe/shared/startup/start-process';
import { probes } from '@lastframe/shared/telemetry/probes';
import { createCacheBusterNotice } from './access/cache-buster-notice.ts';
import { createNewCameraLimit } from './access/new-camera-limit.ts';
import { handleAnnouncement, readIfWatched } from './announcements/handle-announcement.ts';
import { subscribeToAnnouncements } from './announcements/subscribe.ts';
import { createUnsentResponses } from './answer/unsent-responses.ts';
import { createFrameReader } from './cache/frame-reader.ts';
import { createMemoryCache, markAllPossiblyOutdated } from './cache/memory-cache.ts';
import { createPurgeHistory } from './cache/purge-history.ts';
import { createCameraList } from './camera-status/camera-list.ts';
import { createUnmetDemand } from './camera-status/unmet-demand.ts';
import { createDemand } from './demand/demand.ts';
import { createFleetStatus } from './demand/fleet-status.ts';
import { createJobLine } from './demand/job-line.ts';
import { createKeepWarm } from './demand/keep-warm.ts';
import { createPresence } from './demand/presence.ts';
import { createRefreshQueue } from './demand/refresh-queue.ts';
import { createFindHit } from './fast-path/find-hit.ts';
import { createPreparedHeads } from './fast-path/prepared-heads.ts';
import { createFrameWaiters } from './lookup/frame-waiters.ts';
import { createAdminRoutes, permitFreeInMs } from './routes/admin.ts';
import { addCommonHeaders, createApp } from './routes/app.ts';
import { createLearnedTargets } from './routes/learned-targets.ts';
import { createResponseMetrics } from './routes/request-metrics.ts';
import { fastPathLog } from './routes/request-tracing.ts';
import { readWallFiles } from './routes/wall-page.ts';
import { createPublicServer, KEEP_ALIVE_MS, type PublicServer } from './server/public-server.ts';
import { createCameraFeed } from './streams/camera-feed.ts';
import { createOpenStreams } from './streams/open-streams.ts';
import {
  createAnnouncementMetrics,
  exposeCameraMetrics,
  exposeFleetMetrics,
  exposeLineMetrics,
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

/** Shared by all parts: configuration, clock, Redis, logging, metrics. */
type ApiContext = ProcessContext<ApiConfig>;

const POLL_EVERY_MS = 1000;
const HEARTBEAT_MS = 15_000;

/** The connected parts of an api process: requests go down, announcements come up. */
type Parts = ReturnType<typeof compose>;

export function compose(context: ApiContext) {
  const { config, rules, clock, keys, redis, metrics, step, tracer, log } = context;
  const pending = createPendingRequests(tracer);
  const queueRedis = redis.queue('queue');
  const framesRedis = redis.frames('frames');

  const memory = createMemoryCache(config.memoryLimitBytes);
  exposeMemoryMetrics(memory, config.memoryLimitBytes, metrics);
  const unsent = withUnsentMetrics(metrics, config.maxUnsentBytes, (onDisconnect) =>
    createUnsentResponses({
      clock,
      minSendRate: config.minSendRate,
      maxUnsentBytes: config.maxUnsentBytes,
      keptBuffers: () => [...memory.values()].map(({ bytes }) => bytes.buffer),
      onDisconnect,
      log,
    }),
  );
  const presence = createPresence({ clock, memory });
  const purges = createPurgeHistory({
    clock,
    memory,
    read: () => readPurges(framesRedis, keys),
    log,
  });
  const framesClock = createFramesClock(clock);
  const baseReader = createFrameReader({
    clock,
    memory,
    isPresent: presence.isPresent,
    purges,
    frames: framesRedis,
    keys,
    framesClock,
  });
  const reader = withReaderTracing(baseReader, step);
  reader.onRead(({ cameraId }, _, { malformed: field }) => {
    if (field) log.warn({ cameraId, field }, 'malformed frame record in Redis ignored');
  });
  const fleet = createFleetStatus({ clock, queue: queueRedis, keys });
  exposeFleetMetrics(fleet, metrics);
  const fleetId = createFleetId(queueRedis, keys.fleet);
  const askerId = randomBytes(4).toString('hex');
  const jobs = createRefreshQueue(queueRedis, config.redisPrefix, askerId, fleet.holdOffBeganMs);
  const queue = withQueueTracing(withQueueMetrics(jobs, metrics), pending, step, tracer);
  const line = createJobLine(clock);
  exposeLineMetrics(line, metrics);
  const baseDemand = createDemand({
    clock,
    memory,
    reader,
    presence,
    fleet,
    queue,
    line,
    coldWaitMs: config.coldWaitMs,
    log,
    random: Math.random,
    askerId,
  });
  const demand = withDemandTracing(withDemandMetrics(baseDemand, metrics), pending, tracer);
  const keepWarm = createKeepWarm({ presence, demand });
  const baseWaiters = createFrameWaiters({
    clock,
    presence,
    reader,
    maxWaiters: config.maxWaiters,
  });
  const waiters = withWaiterMetrics(baseWaiters, clock, metrics);
  // Every read wakes the waiters, whatever caused it. Deferred, so that the request that made the
  // read gets its frame from it directly.
  reader.onRead((_, { held }) => {
    if (held) setImmediate(() => waiters.wake(held));
  });
  const cameraFeed = createCameraFeed({ memory, reader, presence, demand, framesClock });
  reader.onRead((camera, { held }, stored) => cameraFeed.onRead(camera, held, stored));
  const streams = createOpenStreams(config.maxStreams);
  rules.onChange(streams.applyRules);
  exposeStreamMetrics(streams, config.maxStreams, metrics);
  const namedCameraDeps = { frames: framesRedis, keys, rules: rules.now, memory };
  const cameraList = createCameraList({ ...namedCameraDeps, framesClock });
  exposeCameraMetrics(cameraList, metrics);
  const noteUnmetDemand = createUnmetDemand({ ...namedCameraDeps, clock, presence });
  const announcementDeps = {
    clock,
    memory,
    reader,
    presence,
    demand,
    waiters,
    purges,
    cameraFeed,
    log,
  };
  purges.onHardPurge((cameraId) => void readIfWatched(cameraId, announcementDeps));
  const recordAnnouncement = createAnnouncementMetrics(fleet, metrics);
  const onAnnouncement = (announcement: Announcement) => {
    recordAnnouncement(announcement);
    handleAnnouncement(announcement, announcementDeps);
  };
  const announcementsRedis = redis.frames('announcements', (link, shards) =>
    subscribeToAnnouncements(
      link,
      { publish: keys.publish, channels: keys.channels(shards) },
      withAnnouncementTracing(onAnnouncement, pending, step),
      () => {
        markAllPossiblyOutdated(memory);
        purges.onMissedAnnouncements();
        void purges.catchUp();
        demand.recheck();
      },
      log,
    ),
  );
  const links = { queue: queueRedis, frames: framesRedis, announcements: announcementsRedis };

  const poll = () => Promise.all([fleet.poll(), fleetId.poll(), purges.catchUp()]);
  const pollAll = () => {
    void poll();
    void noteUnmetDemand();
    runIsolated(cameraFeed.poll);
    runIsolated(streams.poll);
  };
  const timers: NodeJS.Timeout[] = [];
  return {
    memory,
    unsent,
    reader,
    fleet,
    fleetId,
    demand,
    waiters,
    cameraFeed,
    streams,
    framesClock,
    cameraList,
    links,
    /** Waits up to `withinMs` for Redis, so that the first request finds it connected. */
    start: async (withinMs: number) => {
      await Promise.all(Object.values(links).map((link) => link.ready(withinMs)));
      await poll();
      timers.push(
        setInterval(pollAll, POLL_EVERY_MS),
        setInterval(streams.sendHeartbeats, HEARTBEAT_MS),
      );
      queueRedis.client.on('ready', () => void poll());
      keepWarm(rules.now());
      rules.onChange(keepWarm);
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      waiters.close();
      unsent.close();
      demand.close();
      await Promise.all(Object.values(links).map((link) => link.close()));
    },
  };
}

/** Creates the public server: the routes, with the fast path in front of them. */
export function composePublicServer(parts: Parts, context: ApiContext): PublicServer {
  const { memory, demand, unsent } = parts;
  const { config, rules, clock, metrics, step, tracer, log } = context;
  const servedBy = `${hostname()}-${process.pid}`;
  // A trace needs a span for each request, and only the routes create one.
  const useFastPath = config.fastPath && !tracer;
  const learnedTargets = createLearnedTargets(rules.now);
  const onResponse = createResponseMetrics(clock, metrics);
  const logHit = fastPathLog(log);
  const app = createApp({
    ...parts,
    clock,
    random: Math.random,
    log,
    coldWaitMs: config.coldWaitMs,
    rules: rules.now,
    urlSigningKey: config.urlSigningKey,
    basePath: config.basePath,
    placeholder: config.placeholder,
    noticeCacheBuster: createCacheBusterNotice(log),
    newCameraLimit: createNewCameraLimit(clock, config.coldPerMinute),
    trustedProxies: config.trustedProxies,
    servedBy,
    step,
    learnedTargets: useFastPath ? learnedTargets : undefined,
    onResponse,
    wall: readWallFiles(),
  });
  const preparedHeads = createPreparedHeads({
    clock,
    addCommonHeaders: (headers) => addCommonHeaders(headers, servedBy),
    keepAliveMs: KEEP_ALIVE_MS,
  });
  const findHit = createFindHit({
    clock,
    memory,
    demand,
    rules: rules.now,
    learnedTargets,
    preparedHeads,
    onHit: (served) => {
      onResponse(served);
      logHit?.(served);
    },
  });
  return createPublicServer(app.fetch, { findHit: useFastPath ? findHit : undefined, unsent });
}

/** Creates the operators' server. @param notReady why this process should get no more clients */
export function composeOpsServer(
  parts: Parts,
  context: ApiContext,
  notReady: () => string | undefined,
): Server {
  const { reader, demand, fleet, links } = parts;
  const { config, rules, clock, keys, metrics, log } = context;
  const ops = probes(notReady, metrics);
  ops.route(
    '/',
    createAdminRoutes({
      clock,
      rules: rules.now,
      reader,
      demand,
      fleet,
      permitFreeInMs: (cameraId) =>
        links.queue.run(1000, (client) => permitFreeInMs(client, keys, cameraId)),
      purge: ({ cameraId, source: { staleForMs } }, mode) =>
        purgeCamera(links.frames, keys, { cameraId, mode, staleForMs }),
      token: config.adminToken,
      log,
    }),
  );
  return createOpsServer(getRequestListener(ops.fetch, { hostname: NO_HOST }) as RequestListener);
}
