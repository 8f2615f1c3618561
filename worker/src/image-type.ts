import { fileTypeFromBuffer } from 'file-type';

export type Sniffed = { contentType: string } | { fault: string };

const SERVED = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif']);

/** Some cameras pad the file behind its end; more than this is no padding. */
const MAX_PADDING_BYTES = 4096;
const JPEG_END = Buffer.from([0xff, 0xd9]);
const PNG_END = Buffer.from('IEND');

/** The image type by its magic number, or why these bytes are no whole image. */
export async function sniffImage(bytes: Buffer): Promise<Sniffed> {
  if (bytes.length === 0) return { fault: 'the camera sent an empty body' };
  const contentType = (await fileTypeFromBuffer(bytes))?.mime;
  if (contentType === undefined || !SERVED.has(contentType)) {
    return { fault: 'the camera sent no JPEG, PNG, GIF, WebP or AVIF image' };
  }
  if (!endsWhole(bytes, contentType)) return { fault: 'the camera sent a truncated image' };
  return { contentType };
}

function endsWhole(bytes: Buffer, contentType: string): boolean {
  const tail = bytes.subarray(-MAX_PADDING_BYTES);
  if (contentType === 'image/jpeg') return tail.lastIndexOf(JPEG_END) !== -1;
  if (contentType === 'image/png') return tail.lastIndexOf(PNG_END) !== -1;
  if (contentType === 'image/gif') return tail.lastIndexOf(0x3b) !== -1;
  if (contentType === 'image/webp') return bytes.length >= bytes.readUInt32LE(4) + 8;
  return true;
}
