/** Bounds how often one client may try to log in and fail. */
export interface AttemptLimit {
  /** 0 when the client may try, else how long until it may. */
  waitMs(client: string): number;
  failed(client: string): void;
}

/** Whoever mistypes has these at once; after them one attempt every six seconds. */
const MAX_FAILURES = 10;
const PER_MS = 10 / 60_000;
/** Bounds memory. */
const MAX_CLIENTS = 10_000;

/**
 * A client that failed too often is turned away unseen, with the right password too, or its answers
 * would still tell which one is right. Other clients are not held up.
 */
export function createAttemptLimit(nowMs: () => number = () => performance.now()): AttemptLimit {
  const clients = new Map<string, { failures: number; atMs: number }>();
  const failuresOf = (client: string) => {
    const known = clients.get(client);
    return known ? Math.max(0, known.failures - (nowMs() - known.atMs) * PER_MS) : 0;
  };
  return {
    waitMs: (client) => {
      const tooMany = failuresOf(client) - MAX_FAILURES + 1;
      return tooMany > 0 ? Math.ceil(tooMany / PER_MS) : 0;
    },
    failed: (client) => {
      const failures = failuresOf(client) + 1;
      clients.delete(client); // it becomes the last one
      clients.set(client, { failures, atMs: nowMs() });
      const [first] = clients.keys();
      if (clients.size > MAX_CLIENTS && first !== undefined) clients.delete(first);
    },
  };
}
