/**
 * In the order of closing, so that no process loses what it still uses: responses finish first,
 * then calls, Redis is last. From SIGTERM to SIGKILL; longer than the process takes at worst.
 */
const GRACE_MS = { api: 13_000, worker: 13_000, 'slow-server': 3000, redis: 5000 };

/** Stops everything in order, processes of the same kind together. */
export async function stopInOrder<Running extends { kind: string }>(
  running: readonly Running[],
  stop: (one: Running, graceMs: number) => Promise<void>,
): Promise<void> {
  for (const [kind, graceMs] of Object.entries(GRACE_MS)) {
    const ofKind = running.filter((one) => one.kind === kind);
    await Promise.all(ofKind.map((one) => stop(one, graceMs)));
  }
}
