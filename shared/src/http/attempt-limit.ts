/** Limits how often one client may fail to log in. */
export interface AttemptLimit {
  /** Returns 0 if the client may try, else how long it must wait. */
  waitMs(client: string): number;
  recordFailure(client: string): void;
}

/** Failures allowed in a burst; then one attempt every six seconds. */
const MAX_FAILURES = 10;
const PER_MS = 10 / 60_000;
/** Limits memory. */
const MAX_CLIENTS = 10_000;

/**
 * A client that failed too often is rejected even with the right password: otherwise the response
 * would reveal which one is right. Other clients are not affected.
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
    recordFailure: (client) => {
      const failures = failuresOf(client) + 1;
      clients.delete(client); // moves it to the end
      clients.set(client, { failures, atMs: nowMs() });
      const [first] = clients.keys();
      if (clients.size > MAX_CLIENTS && first !== undefined) clients.delete(first);
    },
  };
}
