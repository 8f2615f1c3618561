import type { Kind } from './part.ts';

interface ClosingStep {
  kind: Kind;
  /** From SIGTERM to SIGKILL; longer than the process takes at worst. */
  graceMs: number;
}

/** No process loses what it still uses: responses finish first, then calls, Redis is last. */
const CLOSING_ORDER: readonly ClosingStep[] = [
  { kind: 'api', graceMs: 13_000 },
  { kind: 'worker', graceMs: 13_000 },
  { kind: 'slow-server', graceMs: 3000 },
  { kind: 'redis', graceMs: 5000 },
];

/** Stops everything in order, processes of the same kind together. */
export async function stopInOrder<Running extends { kind: Kind }>(
  running: readonly Running[],
  stop: (one: Running, graceMs: number) => Promise<void>,
): Promise<void> {
  for (const { kind, graceMs } of CLOSING_ORDER) {
    const ofKind = running.filter((one) => one.kind === kind);
    await Promise.all(ofKind.map((one) => stop(one, graceMs)));
  }
}
