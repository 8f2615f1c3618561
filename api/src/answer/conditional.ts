import { parseHttpDate } from './http-date.ts';

/** Far more tags than a viewer has for one URL. */
const MAX_TAGS_LENGTH = 4096;

/**
 * Returns whether the viewer already has this frame, so that the response is 304 (RFC 9110 13.1).
 * `If-None-Match` is compared weakly and overrides `If-Modified-Since`, an HTTP date.
 * `If-Match` and `If-Unmodified-Since` are not for caches (13.2.1) and are ignored.
 */
export function isNotModified(
  request: { ifNoneMatch: string | undefined; ifModifiedSince: string | undefined },
  frame: { etag: string; changedAtMs: number },
): boolean {
  if (request.ifNoneMatch !== undefined) {
    // Too long to parse, but it still overrides a date (13.1.3).
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
