import type { Clock } from '@lastframe/shared/process/clock';
import { freshTimeOf, type HeldFrame } from '../cache/held-frame.ts';
import type { FrameOrigin } from '../lookup/frame-lookup.ts';
import { isNotModified } from './conditional.ts';
import { problemResponse } from './problem.ts';
import { ifRangeHolds, rangeOf } from './range.ts';

/** The conditions in a viewer's request. */
export interface Conditions {
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  /** Only for a GET; ranges are not defined for other methods (RFC 9110 14.2). */
  range: string | undefined;
  ifRange: string | undefined;
  /** The path to name in a problem. */
  instance: string;
}

/** For frames and streams: any page may show them, and no browser may misread them. */
export const IMAGE_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/**
 * Returns a frame as a response, in the order of RFC 9110 13.2.2: 304 if the viewer already has it,
 * 206 or 416 if they want a part, otherwise 200.
 */
export function frameResponse(
  held: HeldFrame,
  origin: FrameOrigin,
  clock: Pick<Clock, 'monoMs' | 'wallMs'>,
  conditions: Conditions,
): Response {
  const { intervalMs, staleForMs } = held.camera.source;
  const maxAgeMs = freshTimeOf(held);
  const { etag, contentType } = held;
  // Never later than `Date`, even if this machine's clock is behind Redis's (RFC 9110 8.8.2.1).
  const changedAtMs = Math.min(held.changedAtMs, clock.wallMs());
  const capturedAgoMs = clock.monoMs() - held.capturedMonoMs;
  const cache = cacheHeaders(
    { capturedAgoMs, changedAtMs, etag, maxAgeMs, intervalMs, staleForMs },
    origin,
  );
  const headers = { ...cache, 'Accept-Ranges': 'bytes', ...IMAGE_HEADERS };
  if (isNotModified(conditions, held)) return new Response(null, { status: 304, headers });
  const size = held.bytes.length;
  const range = ifRangeHolds(conditions.ifRange, held)
    ? rangeOf(conditions.range, size)
    : ({ kind: 'whole' } as const);
  if (range.kind === 'unsatisfiable') {
    return unsatisfiable(size, cache['Cache-Status'], conditions.instance);
  }
  const { start, end } = range.kind === 'part' ? range : { start: 0, end: size - 1 };
  return new Response(held.bytes.subarray(start, end + 1) as Uint8Array<ArrayBuffer>, {
    status: range.kind === 'part' ? 206 : 200,
    headers: {
      'Content-Type': contentType,
      'Content-Length': String(end + 1 - start),
      ...(range.kind === 'part' && { 'Content-Range': `bytes ${start}-${end}/${size}` }),
      ...headers,
    },
  });
}

function unsatisfiable(size: number, cacheStatus = '', instance: string): Response {
  const detail = `the image has ${size} bytes; the requested range lies outside of it`;
  const response = problemResponse({ status: 416, code: 'range', detail }, instance);
  response.headers.set('Content-Range', `bytes */${size}`);
  response.headers.set('Accept-Ranges', 'bytes');
  response.headers.set('Cache-Status', cacheStatus);
  return response;
}

export interface CacheTimes {
  /** Time since its last byte arrived. */
  capturedAgoMs: number;
  changedAtMs: number;
  etag: string;
  maxAgeMs: number;
  intervalMs: number;
  staleForMs: number;
}

/** Returns the headers for a frame's age and lifetime (RFC 9110, 9111, 5861, 9211). */
export function cacheHeaders(times: CacheTimes, origin: FrameOrigin): Record<string, string> {
  const maxAgeS = Math.floor(times.maxAgeMs / 1000);
  const intervalS = Math.floor(times.intervalMs / 1000);
  const ageS = Math.floor(Math.max(0, times.capturedAgoMs) / 1000);
  const staleIfErrorS = Math.floor(times.staleForMs / 1000);
  return {
    'Cache-Control': `public, max-age=${maxAgeS}, stale-while-revalidate=${intervalS}, stale-if-error=${staleIfErrorS}`,
    Age: String(ageS),
    ETag: times.etag,
    'Last-Modified': new Date(times.changedAtMs).toUTCString(),
    'Cache-Status': cacheStatus(origin, maxAgeS - ageS),
  };
}

/** A stale frame served at once is also a hit; only a request that waited for the camera missed. */
function cacheStatus(origin: FrameOrigin, ttlS: number): string {
  if (origin === 'stored') return 'lastframe; fwd=uri-miss; stored';
  if (origin === 'collapsed') return 'lastframe; fwd=uri-miss; collapsed';
  return `lastframe; hit; ttl=${ttlS}; detail=${origin}`;
}
