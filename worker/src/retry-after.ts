/** A camera that asks for a year is asked again after an hour. */
const MAX_MS = 3_600_000;

/**
 * `Retry-After` in milliseconds: seconds, or a date that is compared with the camera's own `Date`,
 * because our clocks need not agree. Undefined when it can't be read.
 */
export function retryAfterMs(
  value: string | undefined,
  date: string | undefined,
): number | undefined {
  if (value === undefined) return undefined;
  // Date.parse reads almost anything, '-5' too; an HTTP date ends in GMT.
  const until = /\sGMT\s*$/.test(value) ? Date.parse(value) : Number.NaN;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : until - Date.parse(date ?? '');
  return Number.isFinite(ms) ? Math.min(MAX_MS, Math.max(0, ms)) : undefined;
}
