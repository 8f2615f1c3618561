import { unlessTooLong } from '@lastframe/shared/http/http-fields';
import { parseHttpDate } from './http-date.ts';

/** What of the bytes a request wants. `end` is the last byte of it, as in `Content-Range`. */
export type RangeAnswer =
  | { kind: 'whole' }
  | { kind: 'part'; start: number; end: number }
  | { kind: 'unsatisfiable' };

const MAX_LENGTH = 256;
const WHOLE = { kind: 'whole' } as const;

/**
 * The answer to `Range` (RFC 9110 14.2). Only one range of bytes is cut out: several, other units
 * and what can't be read get the whole, as if nobody had asked.
 */
export function rangeOf(value: string | undefined, sizeBytes: number): RangeAnswer {
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
 * Whether `If-Range` lets a range be cut out of this frame (RFC 9110 13.1.5): a weak tag never, a
 * date only if it is that of `Last-Modified`. Who sends a date must know that it was a second past
 * when he got it, which is what makes it strong; that can't be told from here.
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
