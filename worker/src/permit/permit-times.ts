import type { Source } from '@lastframe/shared/cameras/source';
import { spacingMs } from '@lastframe/shared/cameras/spacing';

/** A late timer or a busy event loop must not let a call outlive its permit. */
const LATENESS_MS = 2000;

/** How long a permit lives that nobody shortens: as long as anything started on it can matter. */
export function permitLifeMs(source: Source): number {
  const { timeoutMs, startAllowanceMs } = source;
  return Math.ceil(Math.max(spacingMs(source), timeoutMs + LATENESS_MS) + startAllowanceMs);
}
