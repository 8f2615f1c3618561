import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import { createAdaptorServer } from '@hono/node-server';
import type { Announcement } from '@lastframe/shared/announcement';
import { systemClock } from '@lastframe/shared/clock';
import { type ApiConfig, ConfigError, type Env, readApiConfig } from '@lastframe/shared/config';
import { messageOf } from '@lastframe/shared/errors';
import { showEventLoopLag } from '@lastframe/shared/event-loop-lag';
import { createFleetId } from '@lastframe/shared/fleet-id';
import { closeServer, listen } from '@lastframe/shared/http-server';
import { keysFor } from '@lastframe/shared/keys';
import { type ClosingStep, closeOnSignal } from '@lastframe/shared/lifecycle';
import { openRules } from '@lastframe/shared/live-rules';
import { createLog } from '@lastframe/shared/log';
import { createMetrics } from '@lastframe/shared/metrics';
import { probes } from '@lastframe/shared/probes';
import { purgeCamera, readPurges } from '@lastframe/shared/purge';
import { createRedisMetrics } from '@lastframe/shared/redis-metrics';
import { isSharded, openRedisRoles } from '@lastframe/shared/redis-roles';
import { createStep } from '@lastframe/shared/steps';
import { openTracer } from '@lastframe/shared/tracing';
import { admin, permitFreeInMs } from './admin.ts';
import { listenToAnnouncements } from './announcement-listener.ts';
import { addCommonHeaders, createApp } from './app.ts';
import { createAskedNotes } from './asked-notes.ts';
import { createCameraList } from './camera-list.ts';
import { createColdLimit } from './cold-limit.ts';
import { createColdWait } from './cold-wait.ts';
import {
  countedColdWait,
  countedDemand,
  countedQueue,
  createHearing,
  showCameras,
  showFleet,
  showMemory,
  showStreams,
} from './counted.ts';
import { createDemand } from './demand.ts';
import { createFleetWatch } from './fleet-watch.ts';
import { followedDemand, followedNews, followedQueue, followedReader, hitLog } from './followed.ts';
import { createFrameReader } from './frame-reader.ts';
import { createFramesClock } from './frames-clock.ts';
import { createHit } from './hit.ts';
import { createKeepWarm } from './keep-warm.ts';
import { createKnownTargets } from './known-targets.ts';
import { createLive } from './live.ts';
import { createMemoryCache, makeAllUnsure } from './memory-cache.ts';
import { heedAnnouncement, readWatched } from './news.ts';
import { createPublicServer, KEEP_ALIVE_MS } from './public-server.ts';
import { createPurges } from './purges.ts';
import { createReadyHeads } from './ready-heads.ts';
import { createRefreshQueue } from './refresh-queue.ts';
import { createRequestCount } from './request-count.ts';
import { createStreams } from './streams.ts';
import { createViewers } from './viewers.ts';
import { readWallFiles } from './wall-files.ts';
import { createWants } from './wants.ts';

const DRAIN_MS = 2500;
const GRACE_MS = 7000;
const HEARTBEAT_MS = 15_000;

try {
  await start(readApiConfig(process.env), process.env);
} catch (error) {
  fail(error);
}

function fail(error: unknown): never {
  console.error(error instanceof ConfigError ? error.message : `api: ${messageOf(error)}`);
  process.exit(1);
}

async function start(config: ApiConfig, env: Env): Promise<void> {
  const log = createLog('api', config.logLevel);
  const tracer = await openTracer(config.tracing, 'api', log);
  const step = createStep(log, tracer);
  const wants = createWants(tracer);
  const rules = openRules({ config, env, log });
  process.on('SIGHUP', rules.reload);
  const keys = keysFor(config.redisPrefix, { sharded: isSharded(config) });
  const clock = systemClock;
  const metrics = createMetrics('api');
  showEventLoopLag(metrics);
  // A signal that comes before there is anything to close ends the process as well.
  const closingSteps: ClosingStep[] = [];
  closeOnSignal(log, closingSteps);

  const redisMetrics = createRedisMetrics(metrics);
  const redis = openRedisRoles({
    config,
    log,
    refuse: (fault) => fail(new ConfigError([fault])),
    onReconnect: redisMetrics.reconnected,
  });
  const queueRedis = redis.queue('queue');
  const framesRedis = redis.frames('frames');

  const memory = createMemoryCache(config.memoryLimitBytes);
  showMemory(memory, config.memoryLimitBytes, metrics);
  const viewers = createViewers({ clock, memory });
  const purges = createPurges({
    clock,
    memory,
    read: () => readPurges(framesRedis, keys),
    onGone: (cameraId) => readWatched(cameraId, news),
    log,
  });
  const framesClock = createFramesClock(clock);
  const reading = createFrameReader({
    clock,
    memory,
    purges,
    frames: framesRedis,
    keys,
    framesClock,
    onRead: (camera, { held }, stored) => {
      // However it came to be read: who waits for it need not wait for its announcement.
      if (held) coldWait.wake(held);
      live.heedRead(camera, held, stored);
    },
  });
  const reader = followedReader(reading, step);
  const fleet = createFleetWatch({ clock, queue: queueRedis, keys });
  showFleet(fleet, metrics);
  const fleetId = createFleetId(queueRedis, keys.fleet);
  const look = () => Promise.all([fleet.look(), fleetId.look(), purges.catchUp()]);
  const askerId = randomBytes(4).toString('hex');
  const jobs = createRefreshQueue(queueRedis, config.redisPrefix, askerId);
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
  const live = createLive({ memory, reader, viewers, demand, framesClock });
  const streams = createStreams(config.maxStreams);
  rules.onChange(streams.follow);
  showStreams(streams, config.maxStreams, metrics);
  const named = { frames: framesRedis, keys, rules: rules.now, memory };
  const cameraList = createCameraList({ ...named, framesClock });
  showCameras(cameraList, metrics);
  const noteAsked = createAskedNotes({ ...named, clock, viewers });
  const news = { clock, memory, reader, viewers, demand, coldWait, purges, live, log };
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
        makeAllUnsure(memory);
        purges.missed();
        void purges.catchUp();
        demand.recheck();
      },
      log,
    ),
  );

  redisMetrics.show({ queue: queueRedis, frames: framesRedis, announcements: newsRedis });

  const servedBy = `${hostname()}-${process.pid}`;
  // A trace has a span of each request.
  const withFront = config.front && !tracer;
  const knownTargets = createKnownTargets(rules.now);
  const onAnswered = createRequestCount(clock, metrics);
  const logHit = hitLog(log);
  const app = createApp({
    clock,
    memory,
    reader,
    demand,
    coldWait,
    fleet,
    fleetId,
    live,
    streams,
    framesClock,
    cameraList,
    random: Math.random,
    log,
    coldWaitMs: config.coldWaitMs,
    rules: rules.now,
    urlSigningKey: config.urlSigningKey,
    basePath: config.basePath,
    placeholder: config.placeholder,
    coldLimit: createColdLimit(clock, config.coldPerMinute),
    trustedProxies: config.trustedProxies,
    servedBy,
    step,
    knownTargets: withFront ? knownTargets : undefined,
    onAnswered,
    wall: readWallFiles(),
  });
  const readyHeads = createReadyHeads({
    clock,
    addCommonHeaders: (headers) => addCommonHeaders(headers, servedBy),
    keepAliveMs: KEEP_ALIVE_MS,
  });
  const findHit = createHit({
    clock,
    memory,
    demand,
    rules: rules.now,
    knownTargets,
    readyHeads,
    onServed: (served) => {
      onAnswered(served);
      logHit?.(served);
    },
  });
  const publicServer = createPublicServer(app.fetch, withFront ? findHit : undefined);
  let closing = false;
  const ops = probes(() => (closing ? 'closing' : undefined), metrics);
  ops.route(
    '/',
    admin({
      clock,
      rules: rules.now,
      reader,
      demand,
      fleet,
      permitFreeInMs: (cameraId) =>
        queueRedis.run(1000, (client) => permitFreeInMs(client, keys, cameraId)),
      purge: ({ cameraId, source: { staleForMs } }, mode) =>
        purgeCamera(framesRedis, keys, { cameraId, mode, staleForMs }),
      token: config.adminToken,
      log,
    }),
  );
  const opsServer = createAdaptorServer({ fetch: ops.fetch }) as Server;

  // A Redis that is there is waited for, so that the first request finds it; one that is away is not.
  await Promise.all([queueRedis, framesRedis, newsRedis].map((link) => link.ready(2000)));
  await look();
  const watching = setInterval(() => {
    void look();
    void noteAsked();
    live.look();
    streams.look();
  }, 1000);
  const beating = setInterval(streams.beat, HEARTBEAT_MS);
  queueRedis.client.on('ready', () => void look());
  keepWarm(rules.now());
  rules.onChange(keepWarm);
  const opsPort = await listen(opsServer, { host: config.opsHost, port: config.opsPort });
  const { host, reusePort } = config;
  const port = await listen(publicServer.server, { host, port: config.port, reusePort });
  log.info({ host, port, opsHost: config.opsHost, opsPort }, 'listening');

  closingSteps.push(
    {
      name: 'public',
      graceMs: DRAIN_MS + GRACE_MS + 500,
      close: async () => {
        closing = true;
        // Who still waits for a first frame near the end is told so, not cut off.
        const giveUp = setTimeout(() => coldWait.close(), DRAIN_MS + GRACE_MS - 1000);
        await publicServer.close({ drainMs: DRAIN_MS, graceMs: GRACE_MS }, streams.close);
        clearTimeout(giveUp);
      },
    },
    { name: 'ops', graceMs: 500, close: () => closeServer(opsServer, 200) },
    { name: 'tracing', graceMs: 1000, close: async () => await tracer?.close() },
    {
      name: 'redis',
      graceMs: 1500,
      close: async () => {
        clearInterval(watching);
        clearInterval(beating);
        rules.close();
        coldWait.close();
        demand.close();
        await Promise.all([queueRedis, framesRedis, newsRedis].map((link) => link.close()));
        await redis.close();
      },
    },
  );
}
