import type { Context } from 'hono';
import { problemResponse } from './problem.ts';

const ALLOW = 'GET, HEAD, OPTIONS';
/** Headers that scripts may send. Some need a preflight, such as `Range` with several ranges. */
const REQUEST_HEADERS =
  'Accept, Cache-Control, If-Modified-Since, If-None-Match, If-Range, Last-Event-ID, Prefer, Range';

/** Response headers that scripts of other origins may read. */
const EXPOSED_HEADERS =
  'Accept-Ranges, Age, Allow, Cache-Status, Content-Length, Content-Range, Date, ETag, ' +
  'Last-Modified, Preference-Applied, Proxy-Status, Retry-After, X-Served-By';

/** Lets any site show and read responses, which are public anyway. */
export function allowAllOrigins(headers: Headers): void {
  headers.set('Access-Control-Allow-Origin', '*');
  headers.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
}

/** Handles a read-only path's other methods: OPTIONS, with preflights, and 405 for the rest. */
export function handleOtherMethods(c: Context): Response {
  if (c.req.method === 'OPTIONS') {
    return new Response(null, {
      status: 204,
      headers: {
        Allow: ALLOW,
        'Access-Control-Allow-Methods': ALLOW,
        'Access-Control-Allow-Headers': REQUEST_HEADERS,
        'Access-Control-Max-Age': '86400',
        'Cache-Control': 'no-store',
      },
    });
  }
  const detail = `${c.req.method} is not allowed here; use GET or HEAD`;
  const response = problemResponse({ status: 405, code: 'method', detail }, c.req.path);
  response.headers.set('Allow', ALLOW);
  return response;
}
