import { isCacheBusterBesideUrl } from '@lastframe/shared/cameras/cache-busters';
import { escapeByte } from '@lastframe/shared/cameras/percent-encoding';
import type { Context } from 'hono';

/** A parameter of a request's query. */
export interface Pair {
  /** As received. */
  raw: string;
  name: string;
  value: string;
}

export function pairsOf(c: Context): Pair[] {
  return readPairs(new URL(c.req.url).search.slice(1));
}

/** @param query without its `?` */
export function readPairs(query: string): Pair[] {
  return query.split('&').filter(Boolean).map(readPair);
}

export function valuesOf(pairs: readonly Pair[], name: string): string[] {
  return pairs.filter((pair) => pair.name === name).map(({ value }) => value);
}

function readPair(raw: string): Pair {
  const at = raw.indexOf('=');
  const [rawName, rawValue] = at === -1 ? [raw, ''] : [raw.slice(0, at), raw.slice(at + 1)];
  const name = decodeParameter(rawName);
  const value = decodeParameter(name === 'url' ? rawValue : withoutAppendedBuster(rawValue));
  return { raw, name, value };
}

/**
 * Pages append `?t=…` to the whole address, although it has a query: no signature or name ends like
 * that. In a `url`, it is for the camera's source to decide.
 */
function withoutAppendedBuster(value: string): string {
  const at = value.lastIndexOf('?');
  return at !== -1 && isCacheBusterBesideUrl(value.slice(at + 1)) ? value.slice(0, at) : value;
}

/**
 * Decodes like `URLSearchParams`, but bytes that are not UTF-8 stay escapes instead of all becoming
 * the same replacement character: a camera's URL may have them.
 */
export function decodeParameter(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(/(?:%[\da-f]{2})+/gi, decodeEscapes);
  }
}

/** One character in UTF-8 (RFC 3629), or any other byte, as latin1. */
const CHARACTER =
  /[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\x80-\xff])/g;

function decodeEscapes(escapes: string): string {
  const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('latin1');
  return bytes.replace(CHARACTER, (sequence, other?: string) =>
    other === undefined ? Buffer.from(sequence, 'latin1').toString() : escapeByte(other),
  );
}
