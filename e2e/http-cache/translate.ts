import type { OpenedLetter } from './letter.ts';
import type { Suite } from './suite.ts';

/** A frame as a viewer got it: the origin's answer in it, and the validators Lastframe gave it. */
export interface SeenFrame {
  letter: OpenedLetter;
  etag: string;
  lastModified: string;
}

type HttpDate = Suite['httpDate'];

/** The suite's validators and ranges are about its text; Lastframe's are about the JPEG. */
export function toLastframe(
  headers: Record<string, string>,
  seen: SeenFrame | undefined,
  httpDate: HttpDate,
): Record<string, string> {
  if (seen === undefined) return headers;
  const translators: Record<string, (value: string) => string> = {
    'if-none-match': (value) => translateEtags(value, seen),
    'if-modified-since': (value) => shiftDate(value, seen, httpDate),
    range: (value) => shiftRange(value, seen.letter),
  };
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, translators[name]?.(value) ?? value]),
  );
}

/** Only what stands between the quotes, so that how it is quoted and listed remains the suite's. */
function translateEtags(value: string, { letter, etag }: SeenFrame): string {
  const theirs = letter.headers.etag;
  return theirs === undefined ? value : value.replaceAll(opaque(theirs), opaque(etag));
}

function opaque(etag: string): string {
  return etag.replace(/^W\//, '').replaceAll('"', '');
}

/** As long before or after Lastframe's `Last-Modified` as it was from the origin's. */
function shiftDate(value: string, { letter, lastModified }: SeenFrame, httpDate: HttpDate): string {
  const theirs = letter.headers['last-modified'];
  if (theirs === undefined) return value;
  const deltaS = (Date.parse(value) - Date.parse(theirs)) / 1000;
  const isRfc850 = /^[A-Z][a-z]+day,/.test(value);
  return httpDate(Date.parse(lastModified), deltaS, isRfc850 ? 'rfc850' : undefined);
}

/** Keeps the form: `0-1`, `1-` and `-1` remain what they are. */
function shiftRange(value: string, { bodyAt, body, totalBytes }: OpenedLetter): string {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(value) ?? [];
  const behindBodyBytes = totalBytes - bodyAt - body.length;
  if (first === '') return `bytes=-${Number(last) + behindBodyBytes}`;
  return `bytes=${Number(first) + bodyAt}-${last && Number(last) + bodyAt}`;
}
