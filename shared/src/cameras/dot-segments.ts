import { decodeFully } from './percent-encoding.ts';

/** What a path has that a camera might read as `..`, or as the end of the path. */
export type PathTrick = 'dot segment' | 'control character';

/**
 * `new URL` resolves the dot segments that it knows. A camera's server may know more: it may decode
 * `%2F` and `%5C` into slashes, decode twice, cut off `;parameters` (RFC 3986 3.3), or fold
 * characters that look alike. Under a pattern `/live/*` each of these would lead out of `/live/`.
 */
export function findPathTrick(path: string): PathTrick | undefined {
  if (!path.includes('%') && !path.includes(';') && !path.includes('/..')) return undefined;
  // Folding may make new escapes: of a fullwidth percent sign for instance.
  const plain = decodeFully(fold(decodeFully(path)));
  if (/[\0-\x1f\x7f]/.test(plain)) return 'control character';
  return plain.split(/[/\\]/).some(isDotSegment) ? 'dot segment' : undefined;
}

/** Any number of dots: on some systems `...` is two steps up. Spaces at the end are often cut off. */
function isDotSegment(segment: string): boolean {
  // A server may end the path at a `;`, and one that decodes first at a `?` or `#`.
  const [name = ''] = segment.split(/[;?#]/, 1);
  const bare = name.replace(/[\s\p{Cf}]/gu, '');
  return bare !== '' && /^\.+$/.test(bare);
}

/** Compatibility forms as in NFKC, and what Windows takes for slashes, yen and won signs among them. */
function fold(bytes: string): string {
  // One by one: sorting a long row of combining marks takes quadratic time.
  const text = decodeUtf8(bytes).replace(/[^\0-\x7f]/gu, (char) => char.normalize('NFKC'));
  return text.replace(/[\u2044\u2215\u29f8]/g, '/').replace(/[\u2216\u29f5\u00a5\u20a9]/g, '\\');
}

/**
 * UTF-8 as careless decoders read it, which take `C0 AF` for a slash. Bytes that are not UTF-8 stay
 * as they are: Latin-1 in a path is no trick.
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
