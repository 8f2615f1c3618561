import { unlessTooLong } from '@lastframe/shared/http/http-fields';
import { parseHttpDate } from './http-date.ts';

/** The bytes that a request gets. `end` is the last one, as in `Content-Range`. */
export type RangeResult =
  | { kind: 'whole' }
  | { kind: 'part'; start: number; end: number }
  | { kind: 'unsatisfiable' };

const MAX_LENGTH = 256;
const WHOLE = { kind: 'whole' } as const;

/**
 * Evaluates `Range` (RFC 9110 14.2). Only a single byte range is served: several ranges, other
 * units and malformed values get the whole frame, as without `Range`.
 */
export function rangeOf(value: string | undefined, sizeBytes: number): RangeResult {
  const parts = /^\s*bytes=\s*(\d*)-(\d*)\s*$/i.exec(unlessTooLong(value, MAX_LENGTH) ?? '');
  const [first, last] = [parts?.[1] ?? '', parts?.[2] ?? ''];
  if (first === '' && last === '') return WHOLE;
  if (first === '') {
    const length = Number(last);
    if (length === 0) return { kind: 'unsatisfiable' };
    return { kind: 'part', start: Math.max(0, sizeBytes - length), end: sizeBytes - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return WHOLE;
  if (start >= sizeBytes) return { kind: 'unsatisfiable' };
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return { kind: 'part', start, end };
}

/**
 * Returns whether `If-Range` allows a range of this frame (RFC 9110 13.1.5): a weak tag never does,
 * a date only if it equals `Last-Modified`. A date is a strong validator only if it was at least a
 * second old when the client got it. Only the client can know that.
 */
export function ifRangeHolds(
  value: string | undefined,
  frame: { etag: string; changedAtMs: number },
): boolean {
  if (value === undefined) return true;
  if (value.length > MAX_LENGTH) return false;
  const validator = value.trim();
  if (validator.startsWith('"') || validator.startsWith('W/')) return validator === frame.etag;
  return parseHttpDate(validator) === Math.floor(frame.changedAtMs / 1000) * 1000;
}
