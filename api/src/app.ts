import { messageOf, ProblemError } from '@lastframe/shared/errors';
import type { Log } from '@lastframe/shared/log';
import { type Context, Hono } from 'hono';
import { pathBelow } from './base-path.ts';
import { problemResponse } from './problem.ts';
import { getImage, getNamedImage, type ImagesDeps } from './routes/images.ts';

export interface AppDeps extends ImagesDeps {
  /** Names this process in `X-Served-By`. */
  servedBy: string;
  /** Where a reverse proxy mounts it; `/` unless set. */
  basePath?: string;
  log: Log;
}

const EXPOSED_HEADERS =
  'Age, Cache-Status, Content-Length, ETag, Last-Modified, Retry-After, X-Served-By';

/** The public routes and the one error boundary. */
export function createApp(deps: AppDeps): Hono {
  const { log, servedBy, basePath } = deps;
  const app = new Hono({ getPath: pathBelow(basePath) });
  app.use(async (c, next) => {
    await next();
    c.res.headers.set('X-Served-By', servedBy);
    c.res.headers.set('Access-Control-Allow-Origin', '*');
    c.res.headers.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  });
  app.get('/images', (c) => getImage(c, deps));
  app.get('/cameras/:name', (c) => getNamedImage(c, deps));
  for (const path of ['/images', '/cameras/:name']) app.all(path, notAllowed);
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

function notAllowed(c: Context): Response {
  const detail = `${c.req.method} is not served here; use GET or HEAD`;
  const response = problemResponse({ status: 405, code: 'method', detail }, c.req.path);
  response.headers.set('Allow', 'GET, HEAD');
  return response;
}
