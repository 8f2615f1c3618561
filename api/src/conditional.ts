/**
 * Whether the viewer has this frame already, so that 304 is the answer (RFC 9110 13.1).
 * `If-None-Match` is compared weakly and beats `If-Modified-Since`.
 */
export function isNotModified(
  request: { ifNoneMatch: string | undefined; ifModifiedSince: string | undefined },
  frame: { etag: string; changedAtMs: number },
): boolean {
  if (request.ifNoneMatch !== undefined) {
    if (request.ifNoneMatch.trim() === '*') return true;
    const tags = request.ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? [];
    return tags.some((tag) => tag.replace(/^W\//, '') === frame.etag);
  }
  if (request.ifModifiedSince === undefined) return false;
  const sinceMs = Date.parse(request.ifModifiedSince);
  // HTTP dates have whole seconds.
  return Math.floor(frame.changedAtMs / 1000) * 1000 <= sinceMs;
}
