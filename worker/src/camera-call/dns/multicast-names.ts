import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';

/** Lookups that may queue; each may take seconds. */
const MAX_WAITING = 100;

/** Detects multicast DNS names (RFC 6762) like `camera.local`, but not `….cluster.local`. */
export function isMulticastName(host: string): boolean {
  return /^[^.]+\.local$/.test(host);
}

/**
 * Looks names up through the C library, which may have a module for multicast DNS, one at a time:
 * Node has two threads for it, and the other one is for Redis's name.
 */
export function createMulticastLookup(): (host: string) => Promise<LookupAddress[]> {
  let waiting = 0;
  let previous: Promise<unknown> = Promise.resolve();
  return async (host) => {
    if (waiting >= MAX_WAITING) {
      throw Object.assign(new Error(`too many lookups queued before ${host}`), {
        code: 'EAI_AGAIN',
      });
    }
    waiting += 1;
    const found = previous.then(() => lookup(host, { all: true }));
    previous = found.catch(() => {}).finally(() => (waiting -= 1));
    return await found;
  };
}
