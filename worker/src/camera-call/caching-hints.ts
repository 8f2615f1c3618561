import { MAX_DATE_LENGTH, readItems, unlessTooLong } from '@lastframe/shared/http/http-fields';
import type { Fields } from './header-fields.ts';

/** What a camera's response says about how long its picture lasts (RFC 9111). */
export interface CachingHints {
  /** How much longer the response may be kept; undefined if it says nothing, or not to keep it. */
  expiresInMs?: number | undefined;
  /** The response comes from a cache, which has kept it for a while. */
  isCopy: boolean;
  /** When the picture last changed, before the response. */
  changedAgoMs?: number | undefined;
}

export function cachingHintsOf(fields: Fields): CachingHints {
  const ageS = secondsOf(fields.age) ?? 0;
  const dateMs = timeOf(fields.date);
  const lifeMs = lifetimeMsOf(fields, dateMs);
  const expiresInMs = lifeMs === undefined ? 0 : Math.min(lifeMs, MAX_LIFE_MS) - ageS * 1000;
  const changedMs = timeOf(fields['last-modified']);
  const changedAgoMs =
    dateMs === undefined || changedMs === undefined ? undefined : dateMs + ageS * 1000 - changedMs;
  return {
    isCopy: ageS > 0,
    ...(expiresInMs > 0 && { expiresInMs }),
    ...(changedAgoMs !== undefined && changedAgoMs >= 0 && { changedAgoMs }),
  };
}

/** `max-age` overrides `Expires`, and `s-maxage` is for shared caches like this one. */
function lifetimeMsOf(fields: Fields, dateMs: number | undefined): number | undefined {
  const control = new Map<string, string | undefined>();
  for (const { name, value } of readItems(unlessTooLong(fields['cache-control'], 1000) ?? '')) {
    control.set(name, value);
  }
  if (control.has('no-store') || control.has('no-cache')) return undefined;
  const seconds = secondsOf(control.get('s-maxage')) ?? secondsOf(control.get('max-age'));
  if (seconds !== undefined) return seconds * 1000;
  const expiresMs = timeOf(fields.expires);
  return expiresMs === undefined || dateMs === undefined ? undefined : expiresMs - dateMs;
}

/** `Expires` in the year 9999 means: never. No picture needs more than this. */
const MAX_LIFE_MS = 365 * 86_400_000;
const MAX_SECONDS = MAX_LIFE_MS / 1000;

function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Math.min(Number(text), MAX_SECONDS) : undefined;
}

function timeOf(text: string | undefined): number | undefined {
  const ms = Date.parse(unlessTooLong(text, MAX_DATE_LENGTH) ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
