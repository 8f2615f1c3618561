import { z } from 'zod';

/** The last instant that an HTTP date can express: its years have four digits. */
const MAX_TIME_MS = Date.UTC(9999, 11, 31);
/** Twice the longest duration that can be configured. */
const MAX_DURATION_MS = 2 * 3650 * 86_400_000;
/** No number that this program writes is longer. */
const MAX_DIGITS = 16;

// Values from Redis are checked once, when they are read: a time that no `Date` can hold would
// throw wherever it is formatted, perhaps in a timer, where nothing catches it.

/** A time in milliseconds since the epoch. */
export const timeMs = z.number().int().min(0).max(MAX_TIME_MS);
export const durationMs = z.number().min(0).max(MAX_DURATION_MS);
/** Only compared here; its format matters where it is served. */
export const etagText = z.string().max(100);
export const cameraIdText = z.string().max(64);
/** A sentence for people, used only in JSON. */
export const reasonText = z.string().max(1000);
/** https://www.w3.org/TR/trace-context/#traceparent-header */
export const traceparent = z.string().regex(/^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/);

/** Parses a whole number, which Redis stores in decimal digits; `undefined` for anything else. */
export function wholeNumber(text: Buffer | null | undefined): number | undefined {
  if (!text || text.length > MAX_DIGITS) return undefined;
  const digits = text.toString('latin1');
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}

/** Parses a time as Redis stores it. */
export function storedTimeMs(text: Buffer | null | undefined): number | undefined {
  const ms = wholeNumber(text);
  return ms !== undefined && ms <= MAX_TIME_MS ? ms : undefined;
}
