import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { answerChallenge, type DigestInput } from './answer-challenge.ts';
import { type Challenge, readLoginOffer } from './challenge.ts';

/** Answers the strongest challenge of a `WWW-Authenticate`. */
function answer(offered: string, input: Partial<DigestInput> = {}): string {
  return answerChallenge(readLoginOffer(offered).digest as Challenge, { ...mufasa, ...input });
}

/** The example of RFC 7616, section 3.9.1. */
const mufasa: DigestInput = {
  username: 'Mufasa',
  password: 'Circle of Life',
  uri: '/dir/index.html',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  count: 1,
};
const rfcChallenge =
  'realm="http-auth@example.org", qop="auth, auth-int", ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
  'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

describe('the answer to a challenge', () => {
  it('uses the strongest offered hash, as in RFC 7616', () => {
    expect(
      answer(`Digest ${rfcChallenge}, algorithm=SHA-256, Digest ${rfcChallenge}, algorithm=MD5`),
    ).toBe(
      'Digest username="Mufasa", realm="http-auth@example.org", ' +
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", ' +
        'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", ' +
        'algorithm=SHA-256, opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", ' +
        'qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"',
    );
  });

  it('uses MD5 if nothing else is offered, as in RFC 7616', () => {
    expect(answer(`Basic realm="x", Digest ${rfcChallenge}, algorithm=MD5`)).toContain(
      'response="8ca523f5e9506fed4657c9700eebdbec"',
    );
  });

  it('hashes the user name on request, and in UTF-8, as in erratum 4897 of RFC 7616', () => {
    const offered =
      'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, ' +
      'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", ' +
      'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true';
    const sent = answer(offered, {
      username: 'Jäsøn Doe',
      password: 'Secret, or not?',
      uri: '/doe.json',
      cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    });
    expect(sent).toContain(
      'username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"',
    );
    expect(sent).toContain(
      'response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"',
    );
    expect(sent).toContain('userhash=true');
  });

  const testrealm = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
  const circle = { password: 'Circle Of Life', cnonce: '0a4f113b' };

  it('counts in eight hexadecimal digits, as in RFC 2617', () => {
    const sent = answer(`${testrealm}, qop="auth"`, circle);
    expect(sent).toContain('response="6629fae49393a05397450978507c4ef1"');
    expect(answer(`${testrealm}, qop="auth"`, { count: 0x1234 })).toContain('nc=00001234');
  });

  it.each(['', ', qop=""'])('without qop (%j) has none, as in RFC 2069', (qop) => {
    const sent = answer(testrealm + qop, circle);
    expect(sent).toContain('response="670fd8c2df070c60b045671b8b24ff02"');
    expect(sent).not.toMatch(/qop|nc=|cnonce|algorithm/);
  });

  it('covers an empty body if the camera wants auth-int', () => {
    const h = (text: string) => createHash('md5').update(text).digest('hex');
    const proof = [
      h('Mufasa:r:Circle of Life'),
      'n',
      '00000001',
      mufasa.cnonce,
      'auth-int',
      h(`GET:/dir/index.html:${h('')}`),
    ];
    const sent = answer('Digest realm="r", nonce="n", qop=auth-int');
    expect(sent).toContain(`response="${h(proof.join(':'))}"`);
    expect(sent).toContain('qop=auth-int,');
  });

  it('sends quotes and backslashes back as received', () => {
    const realm = String.raw`realm="a \"b\" c\d"`;
    expect(answer(String.raw`Digest ${realm}, nonce="n\\", opaque="\x"`)).toContain(
      String.raw`${realm}, nonce="n\\", uri="/dir/index.html"`,
    );
  });

  it('names the algorithm as received, without quotes, and only then', () => {
    expect(answer('Digest realm="r", nonce="n", algorithm="md5"')).toContain(', algorithm=md5');
    expect(answer('Digest realm="r", nonce="n", algorithm=""')).not.toContain('algorithm');
  });

  it('is one character per byte, so that a header can carry it', () => {
    const sent = answer('Digest realm="CamÃ©ra", nonce="n"', { username: 'žo"e', password: '密' });
    const bytes = Buffer.from(sent, 'latin1').toString();
    expect(bytes).toContain(String.raw`username="žo\"e", realm="Caméra"`);
    const h = (text: string) => createHash('md5').update(text).digest('hex');
    expect(sent).toContain(
      `response="${h(`${h('žo"e:Caméra:密')}:n:${h('GET:/dir/index.html')}`)}"`,
    );
  });

  const more = 'realm="r", nonce="n"';
  it.each([
    [
      `Digest ${more}, qop="auth-int"`,
      'YjcwYzY0MDFjNDBiMzgxM2EwYTE3NWJiNDQ2NWQ4N2I=',
      'a983c3816bf2c4c32d5d131a5a51245e',
    ],
    [
      `Digest ${more}, qop="auth", algorithm=MD5-sess`,
      'MDQ3YWY0NjFhMjY1ZWMxYzY3N2ZlNjM1NTlmN2MwMzA=',
      'dd735805c5190af7019009d536790e91',
    ],
    [
      `Digest ${more}, qop="auth", algorithm=SHA-256, userhash=true`,
      'NWQ1ZjVkMTY2ODQ5MjFiNDQzOTY3OTE1NjQ4YzdiYmM=',
      '89e87ac01311605fa10087b1d7488fda1de4fa3764cd080b2b85e8f25be4cd61',
    ],
    [
      String.raw`Digest realm="CamÃ©ra \"1\"", nonce="n", qop="auth"`,
      'OTZmZTMxYTgyMGE2NDY4NzI1ZGQzOTg2MjQwNjBlYzQ=',
      '1008a97795ecc7d46e89b29a8ebb0562',
    ],
  ])('is that of curl 7.88 to %s', (offered, cnonce, response) => {
    const given = { username: 'žo"e\\x', password: '密 pw', uri: '/a?b=c&d=%20', cnonce };
    expect(answer(offered, given)).toContain(`response="${response}"`);
  });
});
