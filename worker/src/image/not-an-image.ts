/** What comes instead of images, by how it begins. */
const OTHERS: readonly [beginning: RegExp, name: string][] = [
  [/^.{4}ftyp(?:hei|hev|mif1|msf1)/s, 'a HEIC image, which most browsers do not show'],
  [/^(?:II\*\0|MM\0\*)/, 'a TIFF image, which most browsers do not show'],
  [/^(?:\xff\x0a|\0{3}\x0cJXL )/, 'a JPEG XL image, which most browsers do not show'],
  [/^(?:\0{3}\x0cjP {2}|\xff\x4f\xff\x51)/, 'a JPEG 2000 image, which most browsers do not show'],
  [/^(?:.{4}ftyp|RIFF.{4}AVI |FLV|\0\0\0?\x01|\x1aE\xdf\xa3|G.{187}G)/s, 'a video'],
  [/^\x1f\x8b/, 'gzip data'],
  [/^%PDF/, 'a PDF'],
  [/^(?:\r?\n)?--/, 'a multipart stream'],
  [/^[{[]/, 'JSON'],
];

/** Where an image begins behind other bytes. */
const LATER_IMAGE = /\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP|.{4}ftypavi[fs]/s;
const BYTE_ORDER_MARK = '\xef\xbb\xbf';
const UNPRINTABLE = /[^\t\n\r\x20-\x7e\x80-\xff]/;

/** Returns what a body is of which no browser shows a picture, given its first bytes. */
export function describeNonImage(head: Buffer): string {
  const text = head.toString('latin1');
  const name = nameOf(text);
  const imageAt = name === 'a multipart stream' ? -1 : text.search(LATER_IMAGE);
  if (imageAt > 0) {
    const isMark = imageAt === BYTE_ORDER_MARK.length && text.startsWith(BYTE_ORDER_MARK);
    const bytes = isMark ? 'a byte order mark' : `${imageAt} other bytes`;
    return `the camera sent ${bytes} in front of the image, so no browser shows it`;
  }
  const fault = 'the camera sent no JPEG, PNG, GIF, WebP, AVIF or BMP image';
  return name === undefined ? fault : `${fault}, but ${name}`;
}

function nameOf(text: string): string | undefined {
  const other = OTHERS.find(([beginning]) => beginning.test(text));
  if (other) return other[1];
  const words = text.replace(BYTE_ORDER_MARK, '').trimStart().toLowerCase();
  if (words.startsWith('<')) return markupOf(words);
  return words === '' || UNPRINTABLE.test(words) ? undefined : 'text';
}

function markupOf(words: string): string {
  if (/<(?:!doctype html|html|head|body|title|br|p|div)\b/.test(words)) return 'an HTML page';
  return words.includes('<svg') ? 'an SVG image, which is refused for safety' : 'XML';
}
