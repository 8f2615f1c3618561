import { describe, expect, it } from 'vitest';
import { type Challenge, readLoginOffer, readNextNonce } from './challenge.ts';

const digestOf = (text: string) => readLoginOffer(text).digest;
const more = 'realm="r", nonce="n"';

describe('a challenge', () => {
  it.each<[name: string, text: string, expected: Partial<Challenge>]>([
    ['in odd case', 'dIGEST Realm="r", NONCE="n", QoP="Auth"', { realm: 'r', qop: 'auth' }],
    ['without commas', 'Digest realm="r" nonce="n" qop="auth"', { nonce: 'n', qop: 'auth' }],
    ['with commas everywhere', `,Digest ${more},,qop="auth",`, { nonce: 'n', qop: 'auth' }],
    ['with spaces around =', 'Digest realm = "r" , nonce = "n"', { realm: 'r', nonce: 'n' }],
    ['without quotes', 'Digest realm=r, nonce=a+/=, stale=TRUE', { nonce: 'a+/=', stale: true }],
    ['of a realm with spaces', 'Digest realm=My Cam, nonce=n', { realm: 'My Cam', nonce: 'n' }],
    ['of an empty realm', 'Digest realm="", nonce="n"', { realm: '' }],
    ['without a realm', 'Digest nonce="n"', { realm: '' }],
    ['of a realm in UTF-8', 'Digest realm="CamÃ©ra", nonce="n"', { realm: 'CamÃ©ra' }],
    [
      'with quotes and backslashes, kept as received',
      String.raw`Digest realm="a \"b\" c\d", nonce="n\\"`,
      { realm: String.raw`a \"b\" c\d`, nonce: String.raw`n\\` },
    ],
    ['with a quoted stale', `Digest ${more}, stale="TRUE"`, { stale: true }],
    ['with stale=false', `Digest ${more}, stale=false`, { stale: false }],
    ['with a domain', `Digest domain="/a /b, /c", ${more}`, { nonce: 'n', opaque: undefined }],
    ['with userhash', `Digest ${more}, charset=UTF-8, userhash=true`, { userhash: true }],
    ['without qop', `Digest ${more}`, { qop: undefined }],
    ['with an empty qop', `Digest ${more}, qop=""`, { qop: undefined }],
    ['with a blank qop', `Digest ${more}, qop=" , "`, { qop: undefined }],
    ['with several qops', `Digest ${more}, qop=" auth-int,AUTH "`, { qop: 'auth' }],
    ['with several qops without quotes', `Digest qop=auth-int,auth, ${more}`, { qop: 'auth' }],
    ['with auth-int alone', `Digest ${more}, qop="auth-int"`, { qop: 'auth-int' }],
    [
      'with a quoted algorithm',
      `Digest ${more}, algorithm="md5"`,
      { algorithm: 'md5', hash: 'md5' },
    ],
    [
      'with two algorithms',
      `Digest ${more}, algorithm="SHA-1,MD5"`,
      { algorithm: 'MD5', hash: 'md5' },
    ],
    [
      'with two algorithms without quotes',
      `Digest algorithm=MD5,SHA-256, ${more}`,
      { algorithm: 'MD5', nonce: 'n' },
    ],
    ['with SHA256', `Digest ${more}, algorithm=SHA256`, { algorithm: 'SHA256', hash: 'sha256' }],
    ['with SHA-512-256', `Digest ${more}, algorithm=SHA-512-256`, { hash: 'sha512-256' }],
    ['of a session', `Digest ${more}, algorithm=SHA-256-sess`, { hash: 'sha256', isSession: true }],
    ['with an empty algorithm', `Digest ${more}, algorithm=""`, { algorithm: undefined }],
    ['after Basic', `Basic realm="b", Digest ${more}`, { realm: 'r' }],
    ['after Basic without a comma', `Basic realm="b" Digest ${more}`, { realm: 'r' }],
    ['before Basic', `Digest ${more}, Basic realm="b"`, { realm: 'r' }],
    ['after a scheme with a token', `Negotiate YWJj==, Digest ${more}`, { realm: 'r' }],
    ['after schemes alone', `Negotiate, NTLM TlRM, Digest ${more}`, { realm: 'r' }],
    [
      'after one that cannot be answered',
      `Digest realm="x", nonce="x", algorithm=NEW, Digest ${more}, algorithm=MD5`,
      { realm: 'r' },
    ],
    [
      'weaker than another',
      `Digest realm="x", nonce="x", Digest ${more}, algorithm=SHA-512-256`,
      { realm: 'r', hash: 'sha512-256' },
    ],
  ])('%s is read', (_, text, expected) => expect(digestOf(text)).toMatchObject(expected));

  it.each([
    '',
    'Basic realm="x"',
    'Digest',
    'Digest realm="x"',
    'Digest realm="x", nonce=""',
    'Digest realm="x", nonce="n", algorithm=SHA-1',
    'Digest realm="x", nonce="n", qop="token"',
    'Digest realm="\u0001", nonce="n"',
    '"""=,=,Digest,,',
  ])('that cannot be answered is ignored: %j', (text) => expect(digestOf(text)).toBeUndefined());

  it('over 4096 characters is ignored', () => {
    const padded = (length: number) => `Digest ${more}, x=`.padEnd(length, 'y');
    expect(digestOf(padded(4096))).toBeDefined();
    expect(digestOf(padded(4097))).toBeUndefined();
  });
});

it.each<[text: string | undefined, schemes: string[]]>([
  [undefined, []],
  ['', []],
  ['Basic realm="a, Digest realm=b"', ['basic']],
  [`Negotiate, NTLM, Bearer realm="x", Digest ${more}`, ['negotiate', 'ntlm', 'bearer', 'digest']],
  [`Digest ${more}, qop=auth,auth-int, algorithm=MD5,SHA-256`, ['digest']],
])('the schemes of %j are %j', (text, schemes) => {
  expect(readLoginOffer(text).schemes).toEqual(schemes);
});

it.each([
  ['nextnonce="a"', 'a'],
  ['qop=auth, NextNonce="a b"', 'a b'],
  ['rspauth="x, nextnonce=y"', undefined],
  ['nextnonce=""', undefined],
  ['nextnonce', undefined],
  ['nextnonce="\u0001"', undefined],
  [`nextnonce="a", x=${'y'.repeat(4096)}`, undefined],
  [undefined, undefined],
])('the next nonce of %j is %j', (text, nonce) => expect(readNextNonce(text)).toBe(nonce));
