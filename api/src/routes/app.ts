import { messageOf, ProblemError } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { FleetId } from '@lastframe/shared/redis/fleet-id';
import type { Step } from '@lastframe/shared/telemetry/steps';
import { Hono } from 'hono';
import { allowAllOrigins, otherMethods } from '../answer/cors-and-methods.ts';
import { drawProblems } from '../answer/placeholder-image.ts';
import { problemResponse } from '../answer/problem.ts';
import type { FleetStatus } from '../demand/fleet-status.ts';
import type { StreamsDeps } from '../streams/open-stream.ts';
import { pathBelow } from './base-path.ts';
import { type CamerasDeps, getCameras } from './cameras.ts';
import { getEvents } from './events.ts';
import { getImage, getNamedImage, type ImagesDeps } from './images.ts';
import { getStream } from './mjpeg.ts';
import { openApi } from './openapi.ts';
import type { OnAnswered } from './request-metrics.ts';
import { requestTracing } from './request-tracing.ts';
import { hasPassed } from './via.ts';
import { getWall, getWallFile, type WallDeps } from './wall-page.ts';

export interface AppDeps extends ImagesDeps, StreamsDeps, CamerasDeps, WallDeps {
  fleet: FleetStatus;
  /** Names this process in `X-Served-By`. */
  servedBy: string;
  /** Where a reverse proxy mounts it; `/` unless set. */
  basePath?: string;
  /** Draw what is wrong for viewers who prefer images. */
  placeholder?: boolean;
  fleetId: Pick<FleetId, 'pseudonym'>;
  /** Called for every answer. */
  onAnswered?: OnAnswered;
  /** Follows each request; not set: nobody does. */
  step?: Step;
  log: Log;
}

/** A `url` of 4 KiB, percent-encoded to the last byte, with its signature. */
const MAX_TARGET_LENGTH = 14 * 1024;

const PATHS = [
  '/',
  '/wall/:file',
  '/images',
  '/cameras',
  '/cameras/:name',
  '/events',
  '/stream',
  '/openapi.json',
];

/** What every answer has. */
export function addCommonHeaders(headers: Headers, servedBy: string): void {
  headers.set('X-Served-By', servedBy);
  // What is neither a frame nor a problem is made here, and no cache has a part in it.
  if (!headers.has('Cache-Status')) headers.set('Cache-Status', 'lastframe; detail=generated');
  allowAllOrigins(headers);
}

/** The public routes and the one error boundary. */
export function createApp(deps: AppDeps): Hono {
  const { log, servedBy, basePath } = deps;
  const app = new Hono({ getPath: pathBelow(basePath) });
  if (deps.step) app.use(requestTracing(deps.step));
  app.use(async (c, next) => {
    await next();
    addCommonHeaders(c.res.headers, servedBy);
    deps.onAnswered?.({ status: c.res.status, ...c.get('answered') });
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
    if (!hasPassed(c.req.header('via'), deps.fleetId.pseudonym())) return await next();
    const detail = 'this request comes from this fleet itself: the camera leads back to it';
    return problemResponse({ status: 508, code: 'loop', detail }, c.req.path);
  });
  // A millisecond of work that no request should cost.
  let openApiText: string | undefined;
  app.get('/', (c) => getWall(c, deps));
  app.get('/wall/:file', (c) => getWallFile(c, deps));
  if (deps.placeholder)
    for (const path of ['/images', '/cameras/:name']) app.get(path, drawProblems);
  app.get('/images', (c) => getImage(c, deps));
  app.get('/cameras/:name', (c) => getNamedImage(c, deps));
  app.get('/cameras', (c) => getCameras(c, deps));
  app.get('/events', (c) => getEvents(c, deps));
  app.get('/stream', (c) => getStream(c, deps));
  app.get('/openapi.json', (c) => {
    openApiText ??= JSON.stringify(openApi());
    const type = 'application/json';
    return c.body(openApiText, 200, {
      'Content-Type': type,
      'Cache-Control': 'public, max-age=300',
    });
  });
  for (const path of PATHS) app.all(path, otherMethods);
  app.notFound((c) => {
    const detail = 'there is nothing here; an image is at /images?url=<URL of the image>';
    return problemResponse({ status: 404, code: 'not-found', detail }, c.req.path);
  });
  app.onError((error, c) => {
    if (error instanceof ProblemError) return problemResponse(error.problem, c.req.path);
    log.error({ err: error, path: c.req.path, reason: messageOf(error) }, 'request failed');
    const detail = 'something went wrong here; its log says what';
    return problemResponse({ status: 503, code: 'internal', detail }, c.req.path);
  });
  return app;
}
