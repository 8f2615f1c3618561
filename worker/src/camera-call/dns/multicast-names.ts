import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';

/** Look-ups that may wait for their turn; each may take seconds. */
const MAX_WAITING = 100;

/** A name of multicast DNS (RFC 6762), such as `camera.local`. `….cluster.local` is an ordinary name. */
export function isMulticastName(host: string): boolean {
  return /^[^.]+\.local$/.test(host);
}

/**
 * Only the C library can ask the neighbours, where it has a module for that. It gets one name at a
 * time: Node has two threads for it, and the other one is for Redis's name.
 */
export function createMulticastLookup(): (host: string) => Promise<LookupAddress[]> {
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();
  return async (host) => {
    if (waiting >= MAX_WAITING) {
      throw Object.assign(new Error(`too many look-ups before ${host}`), { code: 'EAI_AGAIN' });
    }
    waiting += 1;
    const found = turn.then(() => lookup(host, { all: true }));
    turn = found.catch(() => {}).finally(() => (waiting -= 1));
    return await found;
  };
}
