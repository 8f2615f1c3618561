import { decodeFully } from './percent-encoding.ts';

/** Something in a path that a camera might read as `..`, or as the end of the path. */
export type PathTrick = 'dot segment' | 'control character';

/**
 * Finds dot segments that `new URL` leaves, but that a camera's server may resolve: it may decode
 * `%2F` and `%5C` into slashes, decode twice, cut off `;parameters` (RFC 3986 3.3), or fold
 * look-alike characters. Under a pattern `/live/*` each of these would lead out of `/live/`.
 */
export function findPathTrick(path: string): PathTrick | undefined {
  if (!path.includes('%') && !path.includes(';') && !path.includes('/..')) return undefined;
  // Folding may create new escapes, for instance from a fullwidth percent sign.
  const plain = decodeFully(fold(decodeFully(path)));
  if (/[\0-\x1f\x7f]/.test(plain)) return 'control character';
  return plain.split(/[/\\]/).some(isDotSegment) ? 'dot segment' : undefined;
}

/** Any number of dots: on some systems `...` goes up two levels. Spaces are often stripped. */
function isDotSegment(segment: string): boolean {
  // A server may end the path at a `;` or, if it decodes first, at a `?` or `#`.
  const [name = ''] = segment.split(/[;?#]/, 1);
  const bare = name.replace(/[\s\p{Cf}]/gu, '');
  return bare !== '' && /^\.+$/.test(bare);
}

/** Folds NFKC compatibility forms, and what Windows reads as slashes, such as yen and won signs. */
function fold(bytes: string): string {
  // Character by character: sorting a long run of combining marks takes quadratic time.
  const text = decodeUtf8(bytes).replace(/[^\0-\x7f]/gu, (char) => char.normalize('NFKC'));
  return text.replace(/[\u2044\u2215\u29f8]/g, '/').replace(/[\u2216\u29f5\u00a5\u20a9]/g, '\\');
}

/**
 * Decodes UTF-8 like careless decoders, which read `C0 AF` as a slash. Other bytes stay as they
 * are: Latin-1 in a path is harmless.
 */
function decodeUtf8(bytes: string): string {
  return bytes.replace(
    /[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}/g,
    (sequence) => {
      const [lead = 0, ...more] = Buffer.from(sequence, 'latin1');
      const start = lead & (0xff >> (more.length + 2));
      const point = more.reduce((sum, byte) => sum * 64 + (byte & 0x3f), start);
      return point <= 0x10ffff ? String.fromCodePoint(point) : sequence;
    },
  );
}
