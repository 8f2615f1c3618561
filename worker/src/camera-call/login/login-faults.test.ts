import { describe, expect, it } from 'vitest';
import { readLoginOffer } from './challenge.ts';
import { faultOf, type LoginSetting } from './login-faults.ts';

const DIGEST = 'Digest realm="secret", nonce="n"';
const BASIC = 'Basic realm="secret"';
const wantsBasic = /^the camera wants basic .* has digest: set auth: { basic: … }; without https/;
const wantsDigest = /^the camera wants digest .* has basic: set auth: { digest: … }$/;
const rejected = 'the camera rejected the user name or password (401)';

describe('a 401', () => {
  it.each<[LoginSetting, offered: string | undefined, fault: string | RegExp]>([
    ['none', DIGEST, /user name and password \(digest\); set auth: for its source$/],
    ['none', BASIC, /user name and password \(basic\); set auth:/],
    ['none', `${BASIC}, ${DIGEST}`, /\(digest or basic\)/],
    ['none', undefined, /responded with 401 but does not say how to log in/],
    ['none', 'Bearer realm="secret"', /wants Bearer authentication, which .* not support;/],
    ['digest', BASIC, wantsBasic],
    ['digest', `${BASIC}, Digest realm="x", nonce="n", algorithm=NEW`, wantsBasic],
    ['digest', DIGEST, rejected],
    ['digest', undefined, rejected],
    ['digest', 'Digest realm="x", nonce="n", algorithm=NEW', /a kind of digest .* not support$/],
    ['digest', 'Negotiate, NTLM, NTLM', /wants Negotiate or NTLM authentication/],
    ['digest', 'Secret realm="x"', /wants a kind of authentication, which/],
    ['basic', BASIC, rejected],
    ['basic', `${DIGEST}, ${BASIC}`, rejected],
    ['basic', DIGEST, wantsDigest],
    ['basic', 'NTLM', /wants NTLM authentication/],
    ['basic', undefined, rejected],
    ['header', BASIC, 'the camera rejected the Authorization header of its source (401)'],
    ['header', undefined, 'the camera rejected the Authorization header of its source (401)'],
  ])('of a source with %s to %j', (setting, offered, fault) => {
    const text = faultOf(setting, readLoginOffer(offered));
    if (fault instanceof RegExp) expect(text).toMatch(fault);
    else expect(text).toBe(fault);
    expect(text).not.toMatch(/secret/i);
  });
});
