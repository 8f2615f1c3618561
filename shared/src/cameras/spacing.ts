import type { Source } from './source.ts';

/** From right after sending a call until the camera may be called again. */
export function spacingMs(source: Pick<Source, 'intervalMs'>): number {
  return source.intervalMs + guardMs(source);
}

/** Covers the jitter between send and arrival, and clocks that run at slightly different speeds. */
export function guardMs({ intervalMs }: Pick<Source, 'intervalMs'>): number {
  return 10 + intervalMs / 1000;
}
