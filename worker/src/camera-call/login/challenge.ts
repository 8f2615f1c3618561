import { type FieldItem, readItems, unlessTooLong } from '@lastframe/shared/http/http-fields';

/**
 * A camera's digest challenge in a 401 (RFC 7616). Texts are as received, to be sent back: one
 * character per byte, with escapes but without quotes.
 */
export interface Challenge {
  realm: string;
  nonce: string;
  opaque: string | undefined;
  /** MD5 if undefined. */
  algorithm: string | undefined;
  hash: 'md5' | 'sha256' | 'sha512-256';
  isSession: boolean;
  /** Undefined for older cameras (RFC 2069). */
  qop: 'auth' | 'auth-int' | undefined;
  /** The camera wants the user name hashed. */
  userhash: boolean;
  /** Only the nonce was wrong: it was too old. */
  stale: boolean;
}

/** What a 401 says about how to log in. */
export interface LoginOffer {
  /** Schemes in lower case, such as `basic`; empty without a `WWW-Authenticate`. */
  schemes: readonly string[];
  /** The strongest digest challenge that can be answered. */
  digest: Challenge | undefined;
}

/** By letters and digits alone: some cameras write `SHA256`. */
const HASHES: Record<string, Pick<Challenge, 'hash' | 'isSession'>> = {
  SHA512256: { hash: 'sha512-256', isSession: false },
  SHA512256SESS: { hash: 'sha512-256', isSession: true },
  SHA256: { hash: 'sha256', isSession: false },
  SHA256SESS: { hash: 'sha256', isSession: true },
  MD5: { hash: 'md5', isSession: false },
  MD5SESS: { hash: 'md5', isSession: true },
};

/** A challenge is kept, and sent back with every call. */
const MAX_LENGTH = 4096;

/**
 * Reads one or several `WWW-Authenticate`, joined by commas.
 * @param wwwAuthenticate one character per byte
 */
export function readLoginOffer(wwwAuthenticate: string | undefined): LoginOffer {
  const all = schemesOf(unlessTooLong(wwwAuthenticate, MAX_LENGTH) ?? '');
  const challenges = all
    .filter(({ scheme }) => scheme === 'digest')
    .map(({ params }) => challengeOf(params))
    .filter((challenge) => challenge !== undefined);
  return {
    schemes: all.map(({ scheme }) => scheme),
    digest: challenges.find(({ hash }) => hash !== 'md5') ?? challenges[0],
  };
}

/** Returns the nonce for the next request (RFC 7616 3.5), as received. */
export function readNextNonce(authenticationInfo: string | undefined): string | undefined {
  const items = [...readItems(unlessTooLong(authenticationInfo, MAX_LENGTH) ?? '')];
  const next = items.find(({ name, value }) => name === 'nextnonce' && value !== undefined);
  return next && next.raw !== '' && isSendable(next.raw) ? next.raw : undefined;
}

function challengeOf(params: Params): Challenge | undefined {
  const algorithms = wordsOf(params.get('algorithm'));
  const algorithm = algorithms.find((word) => kindOf(word) !== undefined);
  const kind = kindOf(algorithms.length > 0 ? algorithm : 'MD5');
  const nonce = params.get('nonce');
  if (!kind || !nonce) return undefined;
  const qops = wordsOf(params.get('qop')).map((word) => word.toLowerCase());
  const qop = (['auth', 'auth-int'] as const).find((word) => qops.includes(word));
  if (qops.length > 0 && !qop) return undefined;
  if (![...params.values()].every(isSendable)) return undefined;
  const isTrue = (name: string) => params.get(name)?.toLowerCase() === 'true';
  const [realm = '', opaque] = [params.get('realm'), params.get('opaque')];
  const flags = { userhash: isTrue('userhash'), stale: isTrue('stale') };
  return { realm, nonce, opaque, algorithm, ...kind, qop, ...flags };
}

/** Control characters cannot be sent back in a header. */
function isSendable(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

function kindOf(algorithm = ''): Pick<Challenge, 'hash' | 'isSession'> | undefined {
  return HASHES[algorithm.toUpperCase().replace(/[^A-Z\d]/g, '')];
}

function wordsOf(list = ''): string[] {
  return list.split(/[\s,]+/).filter((word) => word !== '');
}

/** By name in lower case; values as received. */
type Params = Map<string, string>;
interface Scheme {
  scheme: string;
  params: Params;
}

/** Splits `Digest realm="a", nonce="b", Basic realm="c"`: a word without `=` begins a scheme. */
function schemesOf(text: string): Scheme[] {
  const schemes: Scheme[] = [];
  let lastName: string | undefined;
  for (const item of readItems(text)) {
    const params = schemes.at(-1)?.params;
    if (beginsScheme(item)) {
      schemes.push({ scheme: item.name, params: new Map() });
      lastName = undefined;
    } else if (item.value !== undefined) {
      lastName = item.name;
      params?.set(lastName, item.raw);
    } else if (lastName !== undefined) {
      const separator = item.separator === ' ' ? ' ' : ',';
      params?.set(lastName, `${params.get(lastName) ?? ''}${separator}${item.raw}`);
    }
  }
  return schemes;
}

const PARAMETER_WORDS = /^(?:auth(?:-.*)?|md5(?:-.*)?|sha-?\d.*)$/;

/** A word alone may also continue a value without quotes, as in `qop=auth,auth-int`. */
function beginsScheme({ name, value, separator }: FieldItem): boolean {
  if (value !== undefined) return false;
  if (name === 'digest' || name === 'basic') return true;
  return separator !== ' ' && !PARAMETER_WORDS.test(name);
}
