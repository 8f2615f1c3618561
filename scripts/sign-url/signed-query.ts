import { signatureOf } from '@lastframe/shared/cameras/url-signature';
import type { Env } from '@lastframe/shared/settings/config';
import { parseDurationMs } from '@lastframe/shared/settings/units';

export type SignedQuery = { ok: true; query: string } | { ok: false; fault: string };

const USAGE = 'usage: node scripts/sign-url.ts <URL of the image> [validity, such as 24h]';

/** Returns a signed path and query, under which the api serves the image to anyone. */
export function signedQuery(args: readonly string[], env: Env, nowMs: number): SignedQuery {
  const key = env.URL_SIGNING_KEY?.trim();
  const [url, duration, ...more] = args;
  if (!key) return { ok: false, fault: 'URL_SIGNING_KEY is not set' };
  if (!url || !URL.canParse(url) || more.length > 0) return { ok: false, fault: USAGE };
  const validMs = duration === undefined ? undefined : parseDurationMs(duration);
  if (duration !== undefined && validMs === undefined) return { ok: false, fault: USAGE };
  const exp = validMs === undefined ? '' : String(Math.floor((nowMs + validMs) / 1000));
  const query = new URLSearchParams({ url, sig: signatureOf(url, exp, key) });
  if (exp !== '') query.set('exp', exp);
  return { ok: true, query: `/images?${query}` };
}
