import type { Source } from './source.ts';

type Intervals = Pick<Source, 'intervalMs' | 'maxIntervalMs'>;

/** Returns whether a source's cameras are called less often while no new picture is expected. */
export function isIntervalVariable({ intervalMs, maxIntervalMs }: Intervals): boolean {
  return maxIntervalMs > intervalMs;
}

/**
 * Returns how long a frame is fresh, from the start of its call: as long as its worker expects no new
 * picture, between the source's interval and its longest one.
 * @param freshForMs what the worker stored with the frame, perhaps under other rules
 */
export function freshTimeMs({ intervalMs, maxIntervalMs }: Intervals, freshForMs = 0): number {
  return Math.max(intervalMs, Math.min(freshForMs, maxIntervalMs));
}
