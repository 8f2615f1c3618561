const BLANK = '…';
const SECRET_NAME =
  /pass|pwd|^pw|pw$|token|key|auth|secret|sig|sess|^sid$|user|usr|login|cred|account|pin$|code|hash|nonce|jwt|bearer|digest|access|^u$|^p$|kennw|clave|senha|mdp|wachtw|heslo|parola/i;
const PLAIN_NAME = /^[\w.[\]~-]{1,40}$/;
/** No setting of a camera is as long, but tokens are. */
const MAX_PLAIN_LENGTH = 15;
const MAX_SEGMENT_LENGTH = 23;

/**
 * Returns the text of a URL without its credentials, and with a `…` for each value that may be
 * secret: by its name, or because it is long. For problems, which a viewer may show to others.
 */
export function blankSecrets(url: string): string {
  const [, scheme = '', credentials = '', host = ''] =
    /^([a-z][\w+.-]*:\/\/)?([^/?#]*@)?([^/?#]*)/i.exec(url) ?? [];
  const rest = url.slice(scheme.length + credentials.length + host.length);
  let isInSecret = false;
  const blanked = rest.replace(/[^/?&;]+/g, (piece) => {
    const at = piece.indexOf('=');
    const [name, value] = [decode(piece.slice(0, Math.max(at, 0))), piece.slice(at + 1)];
    // Without the name of a parameter, it may be the rest of a secret with such a character in it.
    if (at !== -1 && !PLAIN_NAME.test(name)) return BLANK;
    if (at !== -1) isInSecret = isSecretPair(name, value);
    return isInSecret || isToken(value) ? `${piece.slice(0, at + 1)}${BLANK}` : piece;
  });
  return scheme + host + blanked;
}

function isSecretPair(name: string, value: string): boolean {
  return value !== '' && (SECRET_NAME.test(name) || value.length > MAX_PLAIN_LENGTH);
}

function isToken(segment: string): boolean {
  return segment.length > MAX_SEGMENT_LENGTH && /\d/.test(segment) && /[a-z]/i.test(segment);
}

/** `p%77d` is `pwd`. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
