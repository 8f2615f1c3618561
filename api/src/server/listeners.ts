import type { RequestListener, Server } from 'node:http';
import { hostname } from 'node:os';
import { getRequestListener } from '@hono/node-server';
import { purgeCamera } from '@lastframe/shared/frames/purge';
import { createOpsServer } from '@lastframe/shared/http/ops-server';
import { probes } from '@lastframe/shared/telemetry/probes';
import { createNewCameraLimit } from '../access/new-camera-limit.ts';
import type { Context, Parts } from '../compose.ts';
import { createFindHit } from '../fast-path/find-hit.ts';
import { createReadyHeads } from '../fast-path/prepared-heads.ts';
import { admin, permitFreeInMs } from '../routes/admin.ts';
import { addCommonHeaders, createApp } from '../routes/app.ts';
import { createLearnedTargets } from '../routes/learned-targets.ts';
import { createRequestCount } from '../routes/request-metrics.ts';
import { fastPathLog } from '../routes/request-tracing.ts';
import { readWallFiles } from '../routes/wall-page.ts';
import { createPublicServer, KEEP_ALIVE_MS, type PublicServer } from './public-server.ts';

/** For viewers: the routes, and frames in memory in front of them. */
export function createPublicListener(flow: Parts, tools: Context): PublicServer {
  const { memory, demand, unsent } = flow;
  const { config, rules, clock, metrics, step, tracer, log } = tools;
  const servedBy = `${hostname()}-${process.pid}`;
  // A trace has a span of each request.
  const withFront = config.front && !tracer;
  const knownTargets = createLearnedTargets(rules.now);
  const onAnswered = createRequestCount(clock, metrics);
  const logHit = fastPathLog(log);
  const app = createApp({
    ...flow,
    clock,
    random: Math.random,
    log,
    coldWaitMs: config.coldWaitMs,
    rules: rules.now,
    urlSigningKey: config.urlSigningKey,
    basePath: config.basePath,
    placeholder: config.placeholder,
    coldLimit: createNewCameraLimit(clock, config.coldPerMinute),
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
  const findHit = createFindHit({
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
  return createPublicServer(app.fetch, { findHit: withFront ? findHit : undefined, unsent });
}

/** For operators, on a port of its own. @param notReady why no more viewers should be sent here */
export function createOpsListener(
  flow: Parts,
  tools: Context,
  notReady: () => string | undefined,
): Server {
  const { reader, demand, fleet, links } = flow;
  const { config, rules, clock, keys, metrics, log } = tools;
  const ops = probes(notReady, metrics);
  ops.route(
    '/',
    admin({
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
  return createOpsServer(getRequestListener(ops.fetch) as RequestListener);
}
