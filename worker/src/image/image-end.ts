/** Some cameras pad the file after its end; more than this is not padding. */
const MAX_PADDING_BYTES = 4096;

/** NUL, line ends, space. */
const PADDING = new Set([0x00, 0x0a, 0x0d, 0x20]);

const JPEG_END = Buffer.from([0xff, 0xd9]);
const JPEG_SCAN = 0xda;
/** An empty IEND chunk and its checksum. */
const PNG_END = Buffer.from('\0\0\0\0IEND\xae\x42\x60\x82', 'latin1');
/** The last data terminator and the trailer: any few hundred bytes contain a lone 0x3b. */
const GIF_END = Buffer.from([0x00, 0x3b]);
const MDAT = Buffer.from('mdat').readUInt32BE();

/**
 * Returns whether an image is complete, judging by its outer structure; nothing is decoded. HTTP
 * does not reveal it if a body ends with its connection, or if a camera stores half-written files.
 */
export function isCompleteImage(bytes: Buffer, contentType: string): boolean {
  if (contentType === 'image/jpeg') return bytes.includes(JPEG_END, jpegEndSearchStart(bytes));
  if (contentType === 'image/png') return bytes.includes(PNG_END, tailStart(bytes));
  if (contentType === 'image/gif') return withoutPadding(bytes).subarray(-2).equals(GIF_END);
  if (contentType === 'image/webp') {
    return bytes.length >= 12 && bytes.length >= bytes.readUInt32LE(4) + 8;
  }
  return areBoxesComplete(bytes);
}

function tailStart(bytes: Buffer): number {
  return Math.max(0, bytes.length - MAX_PADDING_BYTES);
}

/** Returns where the end marker may begin: after the first scan, since a thumbnail has one too. */
function jpegEndSearchStart(bytes: Buffer): number {
  let at = 2;
  while (at + 4 <= bytes.length) {
    // Some cameras put bytes between segments; decoders skip them. Only the tail is checked then.
    if (bytes[at] !== 0xff) return tailStart(bytes);
    const marker = bytes[at + 1];
    if (marker === JPEG_SCAN) return Math.max(at, tailStart(bytes));
    // A marker may be preceded by any number of 0xff.
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2);
  }
  return bytes.length;
}

function withoutPadding(bytes: Buffer): Buffer {
  let end = bytes.length;
  const least = tailStart(bytes);
  while (end > least && PADDING.has(bytes[end - 1] ?? 0)) end -= 1;
  return bytes.subarray(0, end);
}

/**
 * Returns whether the boxes of an AVIF are complete. Each begins with its size (0: to the end, 1: a
 * longer size follows) and its type; `mdat` holds the image.
 */
function areBoxesComplete(bytes: Buffer): boolean {
  let at = 0;
  let hasPicture = false;
  while (at + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(at);
    hasPicture ||= bytes.readUInt32BE(at + 4) === MDAT;
    if (size === 0) return hasPicture;
    if (size === 1 && at + 16 > bytes.length) return false;
    const length = size === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : size;
    if (length < 8 || at + length > bytes.length) return false;
    at += length;
  }
  return hasPicture && bytes.subarray(at).every((byte) => byte === 0);
}
