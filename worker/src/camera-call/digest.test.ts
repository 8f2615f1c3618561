import { describe, expect, it } from 'vitest';
import { answerChallenge, type Challenge, readChallenge, readNextNonce } from './digest.ts';

/** The example of RFC 7616, section 3.9.1. */
const offered =
  'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
  'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", ' +
  'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
  'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const question = {
  username: 'Mufasa',
  password: 'Circle of Life',
  uri: '/dir/index.html',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  count: 1,
};

describe('a challenge', () => {
  it('is answered with the strongest offered hash, as in RFC 7616', () => {
    const challenge = readChallenge(offered) as Challenge;
    expect(answerChallenge(challenge, question)).toBe(
      'Digest username="Mufasa", realm="http-auth@example.org", ' +
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", ' +
        'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", ' +
        'algorithm=SHA-256, opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", ' +
        'qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"',
    );
  });

  it('with MD5 alone is answered with MD5, as in RFC 7616', () => {
    const md5 = `Basic realm="x", Digest${offered.split(', Digest')[1]}`;
    const answer = answerChallenge(readChallenge(md5) as Challenge, question);
    expect(answer).toContain('response="8ca523f5e9506fed4657c9700eebdbec"');
  });

  it('without qop is answered as in RFC 2069', () => {
    const challenge = readChallenge('Digest realm="r", nonce="n"') as Challenge;
    expect(answerChallenge(challenge, question)).not.toMatch(/qop|nc=|cnonce|algorithm/);
  });

  it('may contain quotes, which are sent back as received', () => {
    const challenge = readChallenge(String.raw`digest realm="a \"b\"", nonce="n\\"`) as Challenge;
    expect(challenge).toMatchObject({ realm: 'a "b"', nonce: 'n\\' });
    expect(answerChallenge(challenge, question)).toContain(
      String.raw`realm="a \"b\"", nonce="n\\"`,
    );
  });

  it('over 4096 characters is ignored', () => {
    const padded = (length: number) => 'Digest realm="r", nonce="n", x='.padEnd(length, 'y');
    expect(readChallenge(padded(4096))).toBeDefined();
    expect(readChallenge(padded(4097))).toBeUndefined();
  });

  it('may follow another scheme with a token', () => {
    const challenge = readChallenge('Negotiate YWJj==, Digest realm="r", nonce="n"');
    expect(challenge).toMatchObject({ realm: 'r', nonce: 'n' });
  });

  it.each([
    '',
    'Basic realm="x"',
    'Digest',
    'Digest realm="x"',
    'Digest realm="x", nonce=""',
    'Digest realm="x", nonce="n", algorithm=SHA-512-256',
    'Digest realm="x", nonce="n", qop="auth-int"',
    '"""=,=,Digest,,',
  ])('that cannot be answered is ignored: %j', (text) => {
    expect(readChallenge(text)).toBeUndefined();
  });
});

it.each([
  ['nextnonce="a"', 'a'],
  ['qop=auth, NextNonce="a b"', 'a b'],
  ['rspauth="x, nextnonce=y"', undefined],
  ['nextnonce=""', undefined],
  [`nextnonce="a", x=${'y'.repeat(4096)}`, undefined],
  [undefined, undefined],
])('the next nonce of %j is %j', (text, nonce) => expect(readNextNonce(text)).toBe(nonce));
