import type { Source } from '@lastframe/shared/source';

/** A late timer or a busy event loop must not let a call outlive its permit. */
const LATENESS_MS = 2000;

/** How long a permit lives that nobody shortens: as long as anything started on it can matter. */
export function permitLifeMs(source: Source): number {
  const { intervalMs, timeoutMs, startAllowanceMs } = source;
  return Math.ceil(
    Math.max(intervalMs + guardMs(source), timeoutMs + LATENESS_MS) + startAllowanceMs,
  );
}

/** From right after sending until the camera may be called again. */
export function spacingMs(source: Source): number {
  return source.intervalMs + guardMs(source);
}

/** Covers the jitter between send and arrival, and clocks that run at slightly different speeds. */
function guardMs({ intervalMs }: Source): number {
  return 10 + intervalMs / 1000;
}
