import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';

/**
 * Lets a request pass only with `Authorization: Bearer <token>` (RFC 6750). Without a token there
 * is nothing here for anybody.
 */
export function bearerOnly(token: string): MiddlewareHandler {
  return async (c, next) => {
    if (token === '') return c.notFound();
    const header = c.req.header('authorization') ?? '';
    const given = /^bearer /i.test(header) ? header.slice('bearer '.length).trim() : undefined;
    if (given !== undefined && isSame(given, token)) return await next();
    const why = given === undefined ? '' : ', error="invalid_token"';
    return c.text('Unauthorized\n', 401, {
      'WWW-Authenticate': `Bearer realm="Lastframe"${why}`,
      'Cache-Control': 'no-store',
    });
  };
}

/** In constant time; hashes have one length, so that not even the token's own length shows. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [given, token].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
