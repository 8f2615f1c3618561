import { unlessTooLong } from '@lastframe/shared/http/http-fields';
import type { Log } from '@lastframe/shared/process/log';
import type { Step } from '@lastframe/shared/telemetry/steps';
import { NEW_TRACE } from '@lastframe/shared/telemetry/tracer';
import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';

declare module 'hono' {
  interface ContextVariableMap {
    /** Of the camera that is asked for, once it is known. */
    cameraId: string;
  }
}

const MAX_TRACEPARENT_LENGTH = 128;

/** A viewer's request; its path and query are not told, for they may hold a secret. */
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

/** The line of a request that was answered from memory in front of the routes. */
export function fastPathLog(
  log: Log,
): ((served: { status: number; held: { cameraId: string } }) => void) | undefined {
  if (!log.isLevelEnabled('debug')) return undefined;
  return ({ status, held }) =>
    log.debug({ status, cameraId: held.cameraId, cache: 'front' }, 'request');
}
