import { LRUCache } from 'lru-cache';

/** Limits how often each client may do something, such as fail to log in. */
export interface ClientLimit {
  /** Returns 0 if the client may do it now, else how long (ms) it must wait. */
  waitMs(client: string): number;
  record(client: string): void;
}

export interface ClientLimitOptions {
  /** How often it may happen in a burst. */
  burst: number;
  /** How often per ms after that. */
  perMs: number;
}

/** Bounds memory. A forgotten client starts with its full allowance. */
const MAX_CLIENTS = 10_000;

export function createClientLimit(
  { burst, perMs }: ClientLimitOptions,
  nowMs: () => number = () => performance.now(),
): ClientLimit {
  const clients = new LRUCache<string, { used: number; atMs: number }>({ max: MAX_CLIENTS });
  const usedBy = (client: string) => {
    const known = clients.get(client);
    return known ? Math.max(0, known.used - (nowMs() - known.atMs) * perMs) : 0;
  };
  return {
    waitMs: (client) => {
      const tooMany = usedBy(client) - burst + 1;
      return tooMany > 0 ? Math.ceil(tooMany / perMs) : 0;
    },
    record: (client) => {
      clients.set(client, { used: usedBy(client) + 1, atMs: nowMs() });
    },
  };
}
