import { cacheHeaders, type Origin } from './cache-headers.ts';
import { isNotModified } from './conditional.ts';
import type { HeldFrame } from './memory-cache.ts';

/** What a viewer's request says about how it wants a frame. */
export interface Conditions {
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
}

const SAFE_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** A frame as a response: 200, or 304 when the viewer has it already. */
export function frameResponse(
  held: HeldFrame,
  origin: Origin,
  nowMonoMs: number,
  conditions: Conditions,
): Response {
  const { intervalMs, staleForMs } = held.camera.source;
  const { etag, changedAtMs } = held;
  const capturedAgoMs = nowMonoMs - held.capturedMonoMs;
  const cache = cacheHeaders({ capturedAgoMs, changedAtMs, etag, intervalMs, staleForMs }, origin);
  if (isNotModified(conditions, held)) {
    return new Response(null, { status: 304, headers: { ...cache, ...SAFE_HEADERS } });
  }
  return new Response(held.bytes as Uint8Array<ArrayBuffer>, {
    headers: {
      'Content-Type': held.contentType,
      'Content-Length': String(held.bytes.length),
      ...cache,
      ...SAFE_HEADERS,
    },
  });
}
