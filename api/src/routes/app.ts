import { messageOf, ProblemError } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { FleetId } from '@lastframe/shared/redis/fleet-id';
import type { Step } from '@lastframe/shared/telemetry/steps';
import { type Context, Hono } from 'hono';
import { allowAllOrigins, handleOtherMethods } from '../answer/cors-and-methods.ts';
import { problemsAsImages } from '../answer/placeholder-image.ts';
import { problemResponse } from '../answer/problem.ts';
import type { FleetStatus } from '../demand/fleet-status.ts';
import type { StreamsDeps } from '../streams/open-stream.ts';
import { pathBelow } from './base-path.ts';
import { type CamerasDeps, getCameras } from './cameras.ts';
import { getEvents } from './events.ts';
import { getImage, getNamedImage, type ImagesDeps } from './images.ts';
import { getStream } from './mjpeg.ts';
import { openApi } from './openapi.ts';
import type { OnResponse } from './request-metrics.ts';
import { requestTracing } from './request-tracing.ts';
import { hasPassedProxy } from './via.ts';
import { getWall, getWallFile, type WallDeps } from './wall-page.ts';

export interface AppDeps extends ImagesDeps, StreamsDeps, CamerasDeps, WallDeps {
  fleet: FleetStatus;
  /** Names this process in `X-Served-By`. */
  servedBy: string;
  /** Draw problems for clients that prefer images. */
  placeholder: boolean;
  fleetId: Pick<FleetId, 'pseudonym'>;
  /** Called for every response. */
  onResponse: OnResponse;
  step: Step;
  log: Log;
}

/** A `url` of 4 KiB with every byte percent-encoded, and its signature. */
const MAX_TARGET_LENGTH = 14 * 1024;

/** Adds the headers of every response. */
export function addCommonHeaders(headers: Headers, servedBy: string): void {
  headers.set('X-Served-By', servedBy);
  // Anything but a frame or a problem is generated here, without a cache.
  if (!headers.has('Cache-Status')) headers.set('Cache-Status', 'lastframe; detail=generated');
  allowAllOrigins(headers);
}

/** Creates the public routes with their one error boundary. */
export function createApp(deps: AppDeps): Hono {
  const { log, servedBy, basePath } = deps;
  const app = new Hono({ getPath: pathBelow(basePath) });
  app.use(requestTracing(deps.step));
  app.use(async (c, next) => {
    await next();
    addCommonHeaders(c.res.headers, servedBy);
    deps.onResponse({ status: c.res.status, ...c.get('answered') });
  });
  app.use(async (c, next) => {
    const { pathname, search } = new URL(c.req.url);
    if (pathname.length + search.length <= MAX_TARGET_LENGTH) return await next();
    const detail = `the request target is longer than ${MAX_TARGET_LENGTH} bytes`;
    return problemResponse(
      { status: 414, code: 'target-too-long', detail },
      pathname.slice(0, 100),
    );
  });
  app.use(async (c, next) => {
    if (!hasPassedProxy(c.req.header('via'), deps.fleetId.pseudonym())) return await next();
    const detail = 'request loop: this camera URL leads back to Lastframe';
    return problemResponse({ status: 508, code: 'loop', detail }, c.req.path);
  });
  // Rendered once: it takes a millisecond.
  let openApiText: string | undefined;
  const route = (path: string, respond: (c: Context) => Response | Promise<Response>) =>
    app.get(path, respond).all(path, handleOtherMethods);
  route('/', (c) => getWall(c, deps));
  route('/wall/:file', (c) => getWallFile(c, deps));
  if (deps.placeholder)
    for (const path of ['/images', '/cameras/:name']) app.get(path, problemsAsImages);
  route('/images', (c) => getImage(c, deps));
  route('/cameras/:name', (c) => getNamedImage(c, deps));
  route('/cameras', (c) => getCameras(c, deps));
  route('/events', (c) => getEvents(c, deps));
  route('/stream', (c) => getStream(c, deps));
  route('/openapi.json', (c) => {
    openApiText ??= JSON.stringify(openApi());
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=300' };
    return c.body(openApiText, 200, headers);
  });
  app.notFound((c) => {
    const detail = 'not found; images are at /images?url=<URL of the image>';
    return problemResponse({ status: 404, code: 'not-found', detail }, c.req.path);
  });
  app.onError((error, c) => {
    if (error instanceof ProblemError) return problemResponse(error.problem, c.req.path);
    log.error({ err: error, path: c.req.path, reason: messageOf(error) }, 'request failed');
    const detail = 'internal error; see the server log';
    return problemResponse({ status: 503, code: 'internal', detail }, c.req.path);
  });
  return app;
}
