import type { Kind } from './part.ts';

interface ClosingStep {
  kind: Kind;
  /** From SIGTERM to SIGKILL; more than the process itself takes at worst. */
  graceMs: number;
}

/** Nobody loses what it still uses: viewers' answers first, then calls in flight, Redis last. */
const CLOSING_ORDER: readonly ClosingStep[] = [
  { kind: 'api', graceMs: 13_000 },
  { kind: 'worker', graceMs: 13_000 },
  { kind: 'slow-server', graceMs: 3000 },
  { kind: 'redis', graceMs: 5000 },
];

/** Stops everything in order; those of one kind together. */
export async function stopInOrder<Running extends { kind: Kind }>(
  running: readonly Running[],
  stop: (one: Running, graceMs: number) => Promise<void>,
): Promise<void> {
  for (const { kind, graceMs } of CLOSING_ORDER) {
    const same = running.filter((one) => one.kind === kind);
    await Promise.all(same.map((one) => stop(one, graceMs)));
  }
}
