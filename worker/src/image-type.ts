import { isServedType } from '@lastframe/shared/frame';
import { fileTypeFromBuffer } from 'file-type';
import { endsWhole } from './image-end.ts';

/** `error` is an error type of RFC 9209. */
export type Sniffed = { contentType: string } | { fault: string; error: string };

const CUT = 'http_response_incomplete';

/** The image type by its magic number, or why these bytes are no whole image. */
export async function sniffImage(bytes: Buffer): Promise<Sniffed> {
  if (bytes.length === 0) return { fault: 'the camera sent an empty body', error: CUT };
  const contentType = (await fileTypeFromBuffer(bytes))?.mime;
  if (contentType === undefined || !isServedType(contentType)) {
    const fault = 'the camera sent no JPEG, PNG, GIF, WebP or AVIF image';
    return { fault, error: 'destination_unavailable' };
  }
  if (!endsWhole(bytes, contentType)) {
    return { fault: 'the camera sent a truncated image', error: CUT };
  }
  return { contentType };
}
