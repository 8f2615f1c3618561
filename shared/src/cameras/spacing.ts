import type { Source } from './source.ts';

/** From right after sending a call until the camera may be called again. */
export function spacingMs(source: Pick<Source, 'intervalMs'>): number {
  return source.intervalMs + guardMs(source);
}

/** Covers the jitter between send and arrival, and clocks that run at slightly different speeds. */
export function guardMs({ intervalMs }: Pick<Source, 'intervalMs'>): number {
  return 10 + intervalMs / 1000;
}

/** A late timer or a busy event loop must not let a call outlive its permit. */
const LATENESS_MS = 2000;

/** How long a permit lives that nobody shortens: as long as anything started on it can matter. */
export function permitLifeMs(source: Source): number {
  const { timeoutMs, startAllowanceMs } = source;
  return Math.ceil(Math.max(spacingMs(source), timeoutMs + LATENESS_MS) + startAllowanceMs);
}
