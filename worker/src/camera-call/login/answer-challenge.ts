import { createHash } from 'node:crypto';
import type { Challenge } from './challenge.ts';

export interface DigestInput {
  username: string;
  password: string;
  /** Path and query as sent. */
  uri: string;
  cnonce: string;
  /** How many requests have used the nonce, including this one. */
  count: number;
}

/**
 * Returns the `Authorization` of a GET that answers a challenge, one character per byte. Names and
 * passwords are sent and hashed in UTF-8, as browsers and curl do.
 */
export function answerChallenge(challenge: Challenge, input: DigestInput): string {
  const { algorithm, opaque, qop, isSession, userhash } = challenge;
  const { uri, cnonce } = input;
  const h = (text: string) => createHash(challenge.hash).update(text, 'latin1').digest('hex');
  const [username, realm] = [utf8(input.username), unescapeQuotes(challenge.realm)];
  const nc = input.count.toString(16).padStart(8, '0');
  const fields = [
    `username=${quote(userhash ? h(`${username}:${realm}`) : username)}`,
    `realm="${challenge.realm}"`,
    `nonce="${challenge.nonce}"`,
    `uri=${quote(uri)}`,
    `response="${responseTo(challenge, { ...input, nc }, h)}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
    ...(qop ? [`qop=${qop}`, `nc=${nc}`] : []),
    ...(qop || isSession ? [`cnonce="${cnonce}"`] : []),
    ...(userhash ? ['userhash=true'] : []),
  ];
  return `Digest ${fields.join(', ')}`;
}

function responseTo(
  { realm, nonce, qop, isSession }: Challenge,
  { username, password, uri, cnonce, nc }: DigestInput & { nc: string },
  h: (text: string) => string,
): string {
  const secretHash = h(`${utf8(username)}:${unescapeQuotes(realm)}:${utf8(password)}`);
  const ha1 = isSession ? h(`${secretHash}:${unescapeQuotes(nonce)}:${cnonce}`) : secretHash;
  // A GET has an empty body.
  const ha2 = h(qop === 'auth-int' ? `GET:${uri}:${h('')}` : `GET:${uri}`);
  return h([ha1, unescapeQuotes(nonce), ...(qop ? [nc, cnonce, qop] : []), ha2].join(':'));
}

/** Returns the UTF-8 bytes of a text as one character each. */
function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Nothing else needs an escape: some cameras send backslashes as they are. */
function unescapeQuotes(text: string): string {
  return text.replace(/\\(["\\])/g, '$1');
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
