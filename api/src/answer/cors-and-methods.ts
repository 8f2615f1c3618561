import type { Context } from 'hono';
import { problemResponse } from './problem.ts';

const ALLOW = 'GET, HEAD, OPTIONS';
/** What a script may send along; `Range` with several ranges and the like need a preflight. */
const REQUEST_HEADERS = [
  'Accept',
  'Cache-Control',
  'If-Modified-Since',
  'If-None-Match',
  'If-Range',
  'Last-Event-ID',
  'Prefer',
  'Range',
].join(', ');

/** What a script of another origin may read of an answer. */
const EXPOSED_HEADERS = [
  'Accept-Ranges',
  'Age',
  'Allow',
  'Cache-Status',
  'Content-Length',
  'Content-Range',
  'Date',
  'ETag',
  'Last-Modified',
  'Preference-Applied',
  'Proxy-Status',
  'Retry-After',
  'X-Served-By',
].join(', ');

/** Any site may show and read what this one gives to everybody. */
export function allowAllOrigins(headers: Headers): void {
  headers.set('Access-Control-Allow-Origin', '*');
  headers.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
}

/** A path that is only read: OPTIONS says so, to a browser's preflight too; other methods are 405. */
export function otherMethods(c: Context): Response {
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
  const detail = `${c.req.method} is not served here; use GET or HEAD`;
  const response = problemResponse({ status: 405, code: 'method', detail }, c.req.path);
  response.headers.set('Allow', ALLOW);
  return response;
}
