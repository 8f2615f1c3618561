import { MAX_DATE_LENGTH, unlessTooLong } from '@lastframe/shared/http/http-fields';

/** A camera that requests a year is called again after an hour. */
const MAX_MS = 3_600_000;

/**
 * Returns `Retry-After` in milliseconds; undefined if it cannot be parsed. A date is compared with
 * the camera's own `Date`, because the clocks may differ.
 */
export function retryAfterMs(
  value: string | undefined,
  date: string | undefined,
): number | undefined {
  const text = unlessTooLong(value, MAX_DATE_LENGTH)?.trim();
  if (text === undefined) return undefined;
  // Date.parse accepts almost anything, even '-5'; an HTTP date ends in GMT.
  const untilMs = text.endsWith(' GMT') ? Date.parse(text) : Number.NaN;
  const nowMs = Date.parse(unlessTooLong(date, MAX_DATE_LENGTH) ?? '');
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : untilMs - nowMs;
  return Number.isFinite(ms) ? Math.min(MAX_MS, Math.max(0, ms)) : undefined;
}
