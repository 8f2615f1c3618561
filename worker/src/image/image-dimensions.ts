import type { Dimensions } from '@lastframe/shared/frames/frame';
import { BMP } from 'image-size/types/bmp';
import { GIF } from 'image-size/types/gif';
import { HEIF } from 'image-size/types/heif';
import type { IImage } from 'image-size/types/interface';
import { JPG } from 'image-size/types/jpg';
import { PNG } from 'image-size/types/png';
import { WEBP } from 'image-size/types/webp';

/**
 * The reader of each type and how far it reads. Readers go byte by byte through whatever a camera
 * sends, AVIF's even several times. In JPEGs, thumbnails and profiles precede the size.
 */
const READERS: Record<string, { reader: IImage; headBytes: number }> = {
  'image/jpeg': { reader: JPG, headBytes: 256 * 1024 },
  'image/png': { reader: PNG, headBytes: 4096 },
  'image/gif': { reader: GIF, headBytes: 4096 },
  'image/webp': { reader: WEBP, headBytes: 4096 },
  'image/avif': { reader: HEIF, headBytes: 16 * 1024 },
  'image/bmp': { reader: BMP, headBytes: 64 },
};
const MAX_PIXELS = 65_535;

/** Returns the size of an image as shown, read from its head; undefined if unknown. */
export function dimensionsOf(bytes: Buffer, contentType: string): Dimensions | undefined {
  const format = READERS[contentType];
  if (!format) return undefined;
  try {
    // A copy: the readers read past the end of a view, into the buffer behind it.
    const head = Buffer.from(new Uint8Array(bytes.subarray(0, format.headBytes)).buffer);
    const { width, height, orientation = 1 } = format.reader.calculate(head);
    if (!isSize(width) || !isSize(height)) return undefined;
    // A quarter turn, from the EXIF of a camera on its side.
    return orientation >= 5 ? { width: height, height: width } : { width, height };
  } catch {
    return undefined; // an image with a wrong header is still served
  }
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_PIXELS;
}
