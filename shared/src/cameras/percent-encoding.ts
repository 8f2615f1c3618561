/** `im%61ge` is `image`, `%2f` is `%2F`: otherwise n escapes make 2ⁿ cameras (RFC 3986 6.2.2). */
export function normaliseEscapes(text: string): string {
  return text.replace(/%[0-9a-f]{2}/gi, (spelled) => {
    const char = String.fromCharCode(Number.parseInt(spelled.slice(1), 16));
    return /[\w.~-]/.test(char) ? char : spelled.toUpperCase();
  });
}

/** @param byte as a character of latin1 */
export function escapeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/**
 * Decodes `%2F`, `%252F`, `%25%32%46` and `%u002F` until no escape is left. Each one is decoded as
 * soon as its last digit is read, so the time is linear however deeply they nest.
 */
export function decodeFully(text: string): string {
  if (!text.includes('%')) return text;
  const decoded: string[] = [];
  for (const char of text) {
    decoded.push(char);
    while (decodeEnd(decoded));
  }
  return decoded.join('');
}

/** Decodes the escape at the end of the characters, if there is one. */
function decodeEnd(chars: string[]): boolean {
  const end = chars.length;
  const length = chars[end - 3] === '%' ? 3 : chars[end - 6] === '%' && isU(chars[end - 5]) ? 6 : 0;
  if (length === 0) return false;
  const digits = chars.slice(length === 3 ? end - 2 : end - 4).join('');
  if (!/^[0-9a-f]+$/i.test(digits)) return false;
  chars.length = end - length;
  chars.push(String.fromCharCode(Number.parseInt(digits, 16)));
  return true;
}

function isU(char: string | undefined): boolean {
  return char === 'u' || char === 'U';
}
