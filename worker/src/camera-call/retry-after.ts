import { MAX_DATE_LENGTH, unlessTooLong } from '@lastframe/shared/http/http-fields';

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
  const wish = unlessTooLong(value, MAX_DATE_LENGTH)?.trim();
  if (wish === undefined) return undefined;
  // Date.parse reads almost anything, '-5' too; an HTTP date ends in GMT.
  const untilMs = wish.endsWith(' GMT') ? Date.parse(wish) : Number.NaN;
  const nowMs = Date.parse(unlessTooLong(date, MAX_DATE_LENGTH) ?? '');
  const ms = /^\d+$/.test(wish) ? Number(wish) * 1000 : untilMs - nowMs;
  return Number.isFinite(ms) ? Math.min(MAX_MS, Math.max(0, ms)) : undefined;
}
