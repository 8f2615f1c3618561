import { parseHttpDate } from './http-date.ts';

/** Far more than a viewer has of one URL. */
const MAX_TAGS_LENGTH = 4096;

/**
 * Whether the viewer has this frame already, so that 304 is the answer (RFC 9110 13.1).
 * `If-None-Match` is compared weakly and beats `If-Modified-Since`, which means HTTP dates only.
 * `If-Match` and `If-Unmodified-Since` are not for caches (13.2.1) and are left alone.
 */
export function isNotModified(
  request: { ifNoneMatch: string | undefined; ifModifiedSince: string | undefined },
  frame: { etag: string; changedAtMs: number },
): boolean {
  if (request.ifNoneMatch !== undefined) {
    // Not read, but still there: dates don't count beside it (13.1.3).
    if (request.ifNoneMatch.length > MAX_TAGS_LENGTH) return false;
    if (request.ifNoneMatch.trim() === '*') return true;
    const tags = request.ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? [];
    return tags.some((tag) => tag.replace(/^W\//, '') === frame.etag);
  }
  if (request.ifModifiedSince === undefined) return false;
  const sinceMs = parseHttpDate(request.ifModifiedSince);
  // HTTP dates have whole seconds.
  return sinceMs !== undefined && Math.floor(frame.changedAtMs / 1000) * 1000 <= sinceMs;
}
