import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { createAttemptLimit } from './attempt-limit.ts';
import { clientGroup } from './client-group.ts';

/**
 * In front of whatever checks `Authorization`: counts its 401 against the client. The client is the
 * other end of the connection, since the ops port trusts no proxy.
 */
export function limitAttempts(limit = createAttemptLimit()): MiddlewareHandler {
  return async (c, next) => {
    // Without credentials nothing was guessed: so a browser learns that it must ask for them.
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
    if (c.res.status === 401) limit.failed(client);
  };
}
