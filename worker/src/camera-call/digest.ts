import { createHash } from 'node:crypto';
import { readItems, unlessTooLong } from '@lastframe/shared/http/http-fields';

/** What a camera asked for in a 401 (RFC 7616), as far as it can be answered. */
export interface Challenge {
  realm: string;
  nonce: string;
  opaque: string | undefined;
  /** As it was written, to be sent back; MD5 where it said none. */
  algorithm: string | undefined;
  hash: 'md5' | 'sha256';
  isSession: boolean;
  /** Older cameras (RFC 2069) know no `qop`. */
  qop: 'auth' | undefined;
  /** The nonce was too old, and nothing else was wrong. */
  stale: boolean;
}

const HASHES: Record<string, Pick<Challenge, 'hash' | 'isSession'>> = {
  'SHA-256': { hash: 'sha256', isSession: false },
  'SHA-256-SESS': { hash: 'sha256', isSession: true },
  MD5: { hash: 'md5', isSession: false },
  'MD5-SESS': { hash: 'md5', isSession: true },
};

/** What a challenge holds is kept, and sent back with every call. */
const MAX_LENGTH = 4096;

/** The strongest digest challenge of a `WWW-Authenticate`; undefined if none can be answered. */
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
  const [realm, nonce, offered] = [params.get('realm'), params.get('nonce'), params.get('qop')];
  if (!kind || realm === undefined || !nonce) return undefined;
  const qops = offered?.split(',').map((word) => word.trim().toLowerCase());
  if (qops && !qops.includes('auth')) return undefined;
  const stale = params.get('stale')?.toLowerCase() === 'true';
  const qop = qops ? ('auth' as const) : undefined;
  return { realm, nonce, opaque: params.get('opaque'), algorithm, ...kind, qop, stale };
}

/** `Digest realm="a", nonce="b", Basic realm="c"`: a word that no `=` follows begins a scheme. */
function schemesOf(text: string): { scheme: string; params: Map<string, string> }[] {
  const found: { scheme: string; params: Map<string, string> }[] = [];
  for (const { name, value } of readItems(text)) {
    if (value === undefined) found.push({ scheme: name, params: new Map() });
    else found.at(-1)?.params.set(name, value);
  }
  return found;
}

/** The nonce that an `Authentication-Info` says to go on with (RFC 7616 3.5). */
export function readNextNonce(authenticationInfo: string | undefined): string | undefined {
  const items = [...readItems(unlessTooLong(authenticationInfo, MAX_LENGTH) ?? '')];
  return items.find(({ name }) => name === 'nextnonce')?.value || undefined;
}

export interface Question {
  username: string;
  password: string;
  /** Path and query as they are sent. */
  uri: string;
  cnonce: string;
  /** How many requests have used the nonce, this one included. */
  count: number;
}

/** The `Authorization` of a GET that answers a challenge. */
export function answerChallenge(challenge: Challenge, question: Question): string {
  const { realm, nonce, opaque, algorithm, hash, isSession, qop } = challenge;
  const { username, password, uri, cnonce, count } = question;
  const h = (text: string) => createHash(hash).update(text).digest('hex');
  const nc = count.toString(16).padStart(8, '0');
  const known = h(`${username}:${realm}:${password}`);
  const ha1 = isSession ? h(`${known}:${nonce}:${cnonce}`) : known;
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
