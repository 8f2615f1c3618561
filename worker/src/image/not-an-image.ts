/** What comes instead of images, by how it begins. */
const OTHERS: readonly [beginning: RegExp, name: string][] = [
  [/^.{4}ftyp(?:hei|hev|mif1|msf1)/s, 'a HEIC image, which most browsers do not show'],
  [/^(?:II\*\0|MM\0\*)/, 'a TIFF image, which most browsers do not show'],
  [/^(?:\xff\x0a|\0{3}\x0cJXL )/, 'a JPEG XL image, which most browsers do not show'],
  [/^(?:\0{3}\x0cjP {2}|\xff\x4f\xff\x51)/, 'a JPEG 2000 image, which most browsers do not show'],
  [
    /^(?:.{4}ftyp|RIFF.{4}AVI |FLV|\0\0\0\x01|\0\0\x01[\x02-\xff]|\x1aE\xdf\xa3|G.{187}G)/s,
    'a video',
  ],
  [/^\0\0[\x01\x02]\0/, 'an icon'],
  [/^\x1f\x8b/, 'gzip data'],
  [/^%PDF/, 'a PDF'],
  [/^(?:\r?\n)?--/, 'a multipart stream'],
  [/^(?:data:|\/9j\/|iVBORw0KGgo|R0lGOD)/, 'base64 text'],
  [/^[{[]\s*["{[\]}]/, 'JSON'],
];

/** Where an image begins behind other bytes. */
const LATER_IMAGE = /\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP|.{4}ftypavi[fs]/s;
const BYTE_ORDER_MARK = '\xef\xbb\xbf';
const UNPRINTABLE = /[^\t\n\r\x20-\x7e\x80-\xff]/;

/** Returns what is wrong with a body that begins like this. */
export function describeNonImage(head: Buffer): string {
  const text = head.toString('latin1');
  const name = OTHERS.find(([beginning]) => beginning.test(text))?.[1];
  const imageAt = text.search(LATER_IMAGE);
  if (name === undefined && imageAt > 0) return describeFront(text.slice(0, imageAt));
  const fault = 'the camera sent no JPEG, PNG, GIF, WebP, AVIF or BMP image';
  const guess = name ?? nameOfText(text);
  return guess === undefined ? fault : `${fault}, but ${guess}`;
}

function describeFront(front: string): string {
  const bytes = front === BYTE_ORDER_MARK ? 'a byte order mark' : `${front.length} other bytes`;
  return `the camera sent ${bytes} in front of the image, so no browser shows it`;
}

function nameOfText(text: string): string | undefined {
  const words = text.replace(BYTE_ORDER_MARK, '').trimStart().toLowerCase();
  if (words.startsWith('<')) return markupOf(words);
  return words === '' || UNPRINTABLE.test(words) ? undefined : 'text';
}

function markupOf(words: string): string {
  if (/<(?:!doctype html|html|head|body|title|br|p|div)\b/.test(words)) return 'an HTML page';
  return words.includes('<svg') ? 'an SVG image, which may run code' : 'XML';
}
