import type { Dimensions } from '@lastframe/shared/frames/frame';
import { GIF } from 'image-size/types/gif';
import { HEIF } from 'image-size/types/heif';
import type { IImage } from 'image-size/types/interface';
import { JPG } from 'image-size/types/jpg';
import { PNG } from 'image-size/types/png';
import { WEBP } from 'image-size/types/webp';

/**
 * The reader of each type and how far it looks: it goes byte by byte through what a camera made up,
 * AVIF's even several times. JPEGs carry thumbnails and profiles in front of their size.
 */
const READERS: Record<string, { reader: IImage; headBytes: number }> = {
  'image/jpeg': { reader: JPG, headBytes: 256 * 1024 },
  'image/png': { reader: PNG, headBytes: 4096 },
  'image/gif': { reader: GIF, headBytes: 4096 },
  'image/webp': { reader: WEBP, headBytes: 4096 },
  'image/avif': { reader: HEIF, headBytes: 16 * 1024 },
};
const MAX_PIXELS = 65_535;

/** The size of a picture as it is shown, by its head; undefined where that doesn't tell. */
export function dimensionsOf(bytes: Buffer, contentType: string): Dimensions | undefined {
  const known = READERS[contentType];
  if (!known) return undefined;
  try {
    // A copy of its own: the readers look past the end of a view, into what lies behind it.
    const head = Buffer.from(new Uint8Array(bytes.subarray(0, known.headBytes)).buffer);
    const { width, height, orientation = 1 } = known.reader.calculate(head);
    if (!isSize(width) || !isSize(height)) return undefined;
    // Turned by a quarter, as a camera on its side says in its EXIF.
    return orientation >= 5 ? { width: height, height: width } : { width, height };
  } catch {
    return undefined; // a header that lies is no reason to lose the picture
  }
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_PIXELS;
}
