/** A response's validators. `lastModifiedMs` is compared in whole seconds, like HTTP dates. */
export interface Validators {
  etag: string;
  lastModifiedMs: number;
}

export interface Conditions {
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
}

/** Returns whether to send 304 (RFC 9110, 13.2.2): an entity tag, if given, decides alone. */
export function isNotModified(validators: Validators, conditions: Conditions): boolean {
  const { ifNoneMatch, ifModifiedSince } = conditions;
  if (ifNoneMatch !== undefined) {
    const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes('*') || tags.includes(validators.etag);
  }
  if (ifModifiedSince === undefined) return false;
  return Math.floor(validators.lastModifiedMs / 1000) * 1000 <= Date.parse(ifModifiedSince);
}
