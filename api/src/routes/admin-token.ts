import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';

/**
 * Lets a request pass only with `Authorization: Bearer <token>` (RFC 6750). Without a token there
 * is nothing here for anybody.
 */
export function bearerOnly(token: string): MiddlewareHandler {
  return async (c, next) => {
    if (token === '') return c.notFound();
    const given = bearerTokenOf(c.req.header('authorization'));
    if (given !== undefined && isSame(given, token)) return await next();
    const why = given === undefined ? '' : ', error="invalid_token"';
    return c.text('Unauthorized\n', 401, {
      'WWW-Authenticate': `Bearer realm="Lastframe"${why}`,
      'Cache-Control': 'no-store',
    });
  };
}

/** Undefined where the header is for another scheme, or none. */
export function bearerTokenOf(authorization = ''): string | undefined {
  const scheme = 'bearer ';
  const isBearer = authorization.slice(0, scheme.length).toLowerCase() === scheme;
  return isBearer ? authorization.slice(scheme.length).trim() : undefined;
}

/** In constant time; hashes have one length, so that not even the token's own length shows. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [given, token].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
