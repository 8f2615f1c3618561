import type { LoginOffer } from './challenge.ts';

/** How a source logs in: by `auth`, by an `Authorization` among its headers, or not at all. */
export type LoginSetting = 'basic' | 'digest' | 'header' | 'none';

const REJECTED = 'the camera rejected the user name or password (401)';
export const TOO_OLD =
  'the camera calls every digest nonce too old; use a shorter interval or basic authentication';
export const FORBIDDEN =
  "the camera denies its source's user access (403); check the user's rights, and whether the user is locked out";
/** Credentials are held back, so that the camera does not lock the user out. */
export const pausedFault = (fault: string) => `${fault}; Lastframe tries again within 10 minutes`;

/** Returns what a camera wants and how to set it, for operators and viewers; names no secret. */
export function faultOf(setting: LoginSetting, offer: LoginOffer): string {
  if (setting === 'header') {
    return 'the camera rejected the Authorization header of its source (401)';
  }
  const hasBasic = offer.schemes.includes('basic');
  const offered = [...(offer.digest ? ['digest'] : []), ...(hasBasic ? ['basic'] : [])];
  const [first] = offered;
  if (first === undefined) return faultWithoutOffer(setting, offer.schemes);
  if (setting === 'none') {
    const schemes = offered.join(' or ');
    return `the camera wants a user name and password (${schemes}); set auth: for its source`;
  }
  if (offered.includes(setting)) return REJECTED;
  const risk = first === 'basic' ? '; without https, anyone in between can read the password' : '';
  return `the camera wants ${first} authentication; its source has ${setting}: set auth: { ${first}: … }${risk}`;
}

/** As people know them; other words are the camera's and not repeated. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  ntlm: 'NTLM',
  negotiate: 'Negotiate',
  bearer: 'Bearer',
};

function faultWithoutOffer(setting: LoginSetting, schemes: readonly string[]): string {
  if (schemes.includes('digest')) {
    return 'the camera wants a kind of digest authentication that Lastframe does not support';
  }
  if (schemes.length > 0) {
    const known = schemes.map((scheme) => UNSUPPORTED[scheme]).filter((name) => name !== undefined);
    const names = [...new Set(known)].join(' or ') || 'a kind of';
    return `the camera wants ${names} authentication, which Lastframe does not support; turn on digest or basic in the camera`;
  }
  if (setting !== 'none') return REJECTED;
  return 'the camera responded with 401 but does not say how to log in; check any password in its URL';
}
