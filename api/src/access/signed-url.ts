import { isSignature } from '@lastframe/shared/cameras/url-signature';
import type { Clock } from '@lastframe/shared/process/clock';
import { ProblemError } from '@lastframe/shared/process/errors';

/** The query parameters of a request: each may be given several times, or not at all. */
export type Queries = (name: string) => string[] | undefined;

/**
 * Rejects a `url` without its valid signature.
 * @returns for how many ms it stays valid; undefined if it never expires
 * @param key empty: every `url` passes
 * @throws ProblemError 403
 */
export function checkSignature(
  url: string,
  queries: Queries,
  { key, nowMs }: { key: string; nowMs: number },
): number | undefined {
  if (key === '') return undefined;
  const [sig, ...moreSigs] = queries('sig') ?? [];
  const [exp = '', ...moreExps] = queries('exp') ?? [];
  if (sig === undefined)
    throw forbidden('signature-missing', 'this url must be signed; add its signature as sig');
  // One response for anything but exactly what was signed: it reveals nothing about the key.
  const isWellFormed = moreSigs.length === 0 && moreExps.length === 0 && /^\d{0,12}$/.test(exp);
  if (!isWellFormed || !isSignature(sig, url, exp, key)) {
    throw forbidden('bad-signature', 'sig does not match this url and exp');
  }
  if (exp === '') return undefined;
  const leftMs = Number(exp) * 1000 - nowMs;
  if (leftMs <= 0) throw forbidden('expired-signature', 'the signature of this url has expired');
  return leftMs;
}

export interface SigningDeps {
  /** Empty: `url=` needs no signature. */
  urlSigningKey: string;
  fleet: { redisNowMs(): number | undefined };
  clock: Pick<Clock, 'wallMs'>;
}

/** Returns the key and the time that signatures are checked with. */
export function signatureContext({ urlSigningKey, fleet, clock }: SigningDeps) {
  return { key: urlSigningKey, nowMs: fleet.redisNowMs() ?? clock.wallMs() };
}

/** Keeps caches from serving a frame after its URL has expired. */
export function limitCachingToExpiry(response: Response, leftMs: number | undefined): Response {
  const cacheControl = response.headers.get('Cache-Control');
  if (leftMs === undefined || cacheControl === null) return response;
  let leftS = Math.floor(leftMs / 1000);
  const cappedCacheControl = cacheControl.replace(
    /(max-age|stale-while-revalidate|stale-if-error)=(\d+)/g,
    (_, name: string, seconds: string) => {
      const s = Math.min(Number(seconds), leftS);
      // The times for stale frames count from the end of max-age.
      if (name === 'max-age') leftS -= s;
      return `${name}=${s}`;
    },
  );
  response.headers.set('Cache-Control', cappedCacheControl);
  const maxAgeS = /max-age=(\d+)/.exec(cappedCacheControl)?.[1];
  const ttl = Number(maxAgeS) - Number(response.headers.get('Age'));
  const status = response.headers.get('Cache-Status');
  if (status) response.headers.set('Cache-Status', status.replace(/ttl=-?\d+/, `ttl=${ttl}`));
  return response;
}

function forbidden(code: string, detail: string): ProblemError {
  return new ProblemError({ status: 403, code, detail });
}
