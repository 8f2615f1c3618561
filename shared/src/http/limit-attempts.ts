import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { createAttemptLimit } from './attempt-limit.ts';
import { clientGroup } from './client-group.ts';

/**
 * Runs before the check of `Authorization` and counts its 401s against the client. The client is
 * the other end of the connection, since the ops port trusts no proxy.
 */
export function limitAttempts(limit = createAttemptLimit()): MiddlewareHandler {
  return async (c, next) => {
    // Without credentials nothing was guessed; browsers start like this, and prompt after the 401.
    if (c.req.header('authorization') === undefined) return await next();
    const incoming = c.env?.incoming as IncomingMessage | undefined;
    const client = clientGroup(incoming?.socket?.remoteAddress ?? '');
    const waitMs = limit.waitMs(client);
    if (waitMs > 0) {
      return c.text('Too many wrong credentials from this address; try again later\n', 429, {
        'Retry-After': String(Math.ceil(waitMs / 1000)),
        'Cache-Control': 'no-store',
      });
    }
    await next();
    if (c.res.status === 401) limit.recordFailure(client);
  };
}
