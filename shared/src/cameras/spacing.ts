import type { Source } from './source.ts';

/** Returns how long after a call was sent the camera may be called again. */
export function spacingMs(source: Pick<Source, 'intervalMs'>): number {
  return source.intervalMs + guardMs(source);
}

/** Covers the jitter between send and arrival, and clocks that run at slightly different speeds. */
export function guardMs({ intervalMs }: Pick<Source, 'intervalMs'>): number {
  return 10 + intervalMs / 1000;
}

/** A late timer or a busy event loop must not let a call outlive its permit. */
const LATENESS_MS = 2000;

/** Returns how long a permit lives unless shortened: as long as a call made with it can matter. */
export function permitLifeMs(source: Source): number {
  const { timeoutMs, startAllowanceMs } = source;
  return Math.ceil(Math.max(spacingMs(source), timeoutMs + LATENESS_MS) + startAllowanceMs);
}
