import { createHash } from 'node:crypto';
import { readItems, unlessTooLong } from '@lastframe/shared/http/http-fields';

/** A camera's digest challenge in a 401 (RFC 7616). */
export interface Challenge {
  realm: string;
  nonce: string;
  opaque: string | undefined;
  /** As received, to be sent back; MD5 if undefined. */
  algorithm: string | undefined;
  hash: 'md5' | 'sha256';
  isSession: boolean;
  /** Undefined for older cameras (RFC 2069). */
  qop: 'auth' | undefined;
  /** Only the nonce was wrong: it was too old. */
  stale: boolean;
}

const HASHES: Record<string, Pick<Challenge, 'hash' | 'isSession'>> = {
  'SHA-256': { hash: 'sha256', isSession: false },
  'SHA-256-SESS': { hash: 'sha256', isSession: true },
  MD5: { hash: 'md5', isSession: false },
  'MD5-SESS': { hash: 'md5', isSession: true },
};

/** A challenge is kept, and sent back with every call. */
const MAX_LENGTH = 4096;

/** Returns the strongest digest challenge that can be answered, if any. */
export function readChallenge(wwwAuthenticate: string | undefined): Challenge | undefined {
  const all = schemesOf(unlessTooLong(wwwAuthenticate, MAX_LENGTH) ?? '')
    .filter(({ scheme }) => scheme === 'digest')
    .map(({ params }) => challengeOf(params))
    .filter((challenge) => challenge !== undefined);
  return all.find(({ hash }) => hash === 'sha256') ?? all[0];
}

function challengeOf(params: Map<string, string>): Challenge | undefined {
  const algorithm = params.get('algorithm');
  const kind = HASHES[algorithm?.toUpperCase() ?? 'MD5'];
  const [realm, nonce, qopText] = [params.get('realm'), params.get('nonce'), params.get('qop')];
  if (!kind || realm === undefined || !nonce) return undefined;
  const qops = qopText?.split(',').map((word) => word.trim().toLowerCase());
  if (qops && !qops.includes('auth')) return undefined;
  const stale = params.get('stale')?.toLowerCase() === 'true';
  const qop = qops ? ('auth' as const) : undefined;
  return { realm, nonce, opaque: params.get('opaque'), algorithm, ...kind, qop, stale };
}

/** Splits `Digest realm="a", nonce="b", Basic realm="c"`: a word without `=` begins a scheme. */
function schemesOf(text: string): { scheme: string; params: Map<string, string> }[] {
  const schemes: { scheme: string; params: Map<string, string> }[] = [];
  for (const { name, value } of readItems(text)) {
    if (value === undefined) schemes.push({ scheme: name, params: new Map() });
    else schemes.at(-1)?.params.set(name, value);
  }
  return schemes;
}

/** Returns the nonce for the next request (RFC 7616 3.5). */
export function readNextNonce(authenticationInfo: string | undefined): string | undefined {
  const items = [...readItems(unlessTooLong(authenticationInfo, MAX_LENGTH) ?? '')];
  return items.find(({ name }) => name === 'nextnonce')?.value || undefined;
}

export interface DigestInput {
  username: string;
  password: string;
  /** Path and query as sent. */
  uri: string;
  cnonce: string;
  /** How many requests have used the nonce, including this one. */
  count: number;
}

/** Returns the `Authorization` of a GET that answers a challenge. */
export function answerChallenge(challenge: Challenge, question: DigestInput): string {
  const { realm, nonce, opaque, algorithm, hash, isSession, qop } = challenge;
  const { username, password, uri, cnonce, count } = question;
  const h = (text: string) => createHash(hash).update(text).digest('hex');
  const nc = count.toString(16).padStart(8, '0');
  const secretHash = h(`${username}:${realm}:${password}`);
  const ha1 = isSession ? h(`${secretHash}:${nonce}:${cnonce}`) : secretHash;
  const ha2 = h(`GET:${uri}`);
  const response = h([ha1, nonce, ...(qop ? [nc, cnonce, qop] : []), ha2].join(':'));
  const fields = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(qop ? [`qop=${qop}`, `nc=${nc}`] : []),
    ...(qop || isSession ? [`cnonce="${cnonce}"`] : []),
  ];
  return `Digest ${fields.join(', ')}`;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
