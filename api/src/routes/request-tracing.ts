import { unlessTooLong } from '@lastframe/shared/http/http-fields';
import type { Log } from '@lastframe/shared/process/log';
import type { Step } from '@lastframe/shared/telemetry/steps';
import { NEW_TRACE } from '@lastframe/shared/telemetry/tracer';
import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';

declare module 'hono' {
  interface ContextVariableMap {
    /** The requested camera, once it is known. */
    cameraId: string;
  }
}

const MAX_TRACEPARENT_LENGTH = 128;

/** Traces a client's request, without its path and query, which may hold a secret. */
export function requestTracing(step: Step): MiddlewareHandler {
  return async (c, next) => {
    const route = matchedRoutes(c).at(-1)?.path ?? '*';
    const { method } = c.req;
    await step(
      'request',
      {
        kind: 'server',
        spanName: `${method} ${route}`,
        parent: unlessTooLong(c.req.header('traceparent'), MAX_TRACEPARENT_LENGTH) ?? NEW_TRACE,
        details: { method, route },
      },
      next,
      () => ({
        status: c.res.status,
        cameraId: c.get('cameraId'),
        cache: c.res.headers.get('cache-status') ?? undefined,
      }),
    );
  };
}

/** Logs requests that the fast path has served; undefined when `debug` lines are off. */
export function fastPathLog(
  log: Log,
): ((served: { status: number; held: { cameraId: string } }) => void) | undefined {
  if (!log.isLevelEnabled('debug')) return undefined;
  return ({ status, held }) =>
    log.debug({ status, cameraId: held.cameraId, cache: 'fast path' }, 'request');
}
