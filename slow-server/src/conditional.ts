/** What a caller may compare with. `lastModifiedMs` is cut to whole seconds, as HTTP's dates are. */
export interface Validators {
  etag: string;
  lastModifiedMs: number;
}

export interface Conditions {
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
}

/** Whether a 304 answers it (RFC 9110, 13.2.2): an entity tag, when there is one, decides alone. */
export function isNotModified(validators: Validators, conditions: Conditions): boolean {
  const { ifNoneMatch, ifModifiedSince } = conditions;
  if (ifNoneMatch !== undefined) {
    const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes('*') || tags.includes(validators.etag);
  }
  if (ifModifiedSince === undefined) return false;
  return Math.floor(validators.lastModifiedMs / 1000) * 1000 <= Date.parse(ifModifiedSince);
}
