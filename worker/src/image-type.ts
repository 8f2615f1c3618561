import { fileTypeFromBuffer } from 'file-type';
import { endsWhole } from './image-end.ts';

export type Sniffed = { contentType: string } | { fault: string };

const SERVED = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif']);

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
