import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { clientGroup } from './client-group.ts';
import { createClientLimit } from './client-limit.ts';

/** Failures: ten in a burst, then one every six seconds. */
const MOST = { burst: 10, perMs: 10 / 60_000 };

/**
 * Runs before the check of `Authorization` and counts its 401s against the client. The client is
 * the other end of the connection, since the ops port trusts no proxy.
 *
 * A client that failed too often is rejected even with the right password: otherwise the response
 * would reveal which one is right. Other clients are not affected.
 */
export function limitAttempts(): MiddlewareHandler {
  const limit = createClientLimit(MOST);
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
    if (c.res.status === 401) limit.record(client);
  };
}
