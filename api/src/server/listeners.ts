import type { RequestListener, Server } from 'node:http';
import { hostname } from 'node:os';
import { getRequestListener } from '@hono/node-server';
import { purgeCamera } from '@lastframe/shared/frames/purge';
import { createOpsServer } from '@lastframe/shared/http/ops-server';
import { probes } from '@lastframe/shared/telemetry/probes';
import { createNewCameraLimit } from '../access/new-camera-limit.ts';
import type { Context, Parts } from '../compose.ts';
import { createFindHit } from '../fast-path/find-hit.ts';
import { createPreparedHeads } from '../fast-path/prepared-heads.ts';
import { createAdminRoutes, permitFreeInMs } from '../routes/admin.ts';
import { addCommonHeaders, createApp } from '../routes/app.ts';
import { createLearnedTargets } from '../routes/learned-targets.ts';
import { createResponseMetrics } from '../routes/request-metrics.ts';
import { fastPathLog } from '../routes/request-tracing.ts';
import { readWallFiles } from '../routes/wall-page.ts';
import { createPublicServer, KEEP_ALIVE_MS, type PublicServer } from './public-server.ts';

/** Creates the public server: the routes, with the fast path in front of them. */
export function createPublicListener(parts: Parts, context: Context): PublicServer {
  const { memory, demand, unsent } = parts;
  const { config, rules, clock, metrics, step, tracer, log } = context;
  const servedBy = `${hostname()}-${process.pid}`;
  // A trace needs a span for each request, and only the routes create one.
  const useFastPath = config.front && !tracer;
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
export function createOpsListener(
  parts: Parts,
  context: Context,
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
  return createOpsServer(getRequestListener(ops.fetch) as RequestListener);
}
