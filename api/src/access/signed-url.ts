import { isSignature } from '@lastframe/shared/cameras/url-signature';
import type { Clock } from '@lastframe/shared/process/clock';
import { ProblemError } from '@lastframe/shared/process/errors';

/** The query parameters of a request: each may be given several times, or not at all. */
export type Queries = (name: string) => string[] | undefined;

/**
 * Lets a `url` pass only with its signature. Gives for how long it does, undefined for ever.
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
  if (sig === undefined) throw refused('signature-missing', 'this url needs its signature in sig');
  // All that is not exactly what was signed is one answer: it tells nothing about the key.
  const isWhole = moreSigs.length === 0 && moreExps.length === 0 && /^\d{0,12}$/.test(exp);
  if (!isWhole || !isSignature(sig, url, exp, key)) {
    throw refused('bad-signature', 'sig is not the signature of this url and exp');
  }
  if (exp === '') return undefined;
  const leftMs = Number(exp) * 1000 - nowMs;
  if (leftMs <= 0) throw refused('expired-signature', 'the signature of this url has expired');
  return leftMs;
}

export interface SigningDeps {
  /** Not set: no `url=` needs a signature. */
  urlSigningKey?: string;
  fleet: { redisNowMs(): number | undefined };
  clock: Pick<Clock, 'wallMs'>;
}

/** What signatures are checked with. */
export function signingOf({ urlSigningKey = '', fleet, clock }: SigningDeps) {
  return { key: urlSigningKey, nowMs: fleet.redisNowMs() ?? clock.wallMs() };
}

/** Nobody may go on serving a frame from a cache when its URL has expired. */
export function boundByExpiry(response: Response, leftMs: number | undefined): Response {
  const cacheControl = response.headers.get('Cache-Control');
  if (leftMs === undefined || cacheControl === null) return response;
  let leftS = Math.floor(leftMs / 1000);
  const bounded = cacheControl.replace(
    /(max-age|stale-while-revalidate|stale-if-error)=(\d+)/g,
    (_, name: string, seconds: string) => {
      const s = Math.min(Number(seconds), leftS);
      // What may be served stale is counted from the end of max-age on.
      if (name === 'max-age') leftS -= s;
      return `${name}=${s}`;
    },
  );
  response.headers.set('Cache-Control', bounded);
  const maxAgeS = /max-age=(\d+)/.exec(bounded)?.[1];
  const ttl = Number(maxAgeS) - Number(response.headers.get('Age'));
  const status = response.headers.get('Cache-Status');
  if (status) response.headers.set('Cache-Status', status.replace(/ttl=-?\d+/, `ttl=${ttl}`));
  return response;
}

function refused(code: string, detail: string): ProblemError {
  return new ProblemError({ status: 403, code, detail });
}
