import { isServedType } from '@lastframe/shared/frames/frame';
import { fileTypeFromBuffer } from 'file-type';
import { endsWhole } from './image-end.ts';

/** `error` is an error type of RFC 9209. */
export type Sniffed = { contentType: string } | { fault: string; error: string };

const CUT = 'http_response_incomplete';

/** How the served types begin. The library would look into archives too, and inflate them for that. */
function mayBeServed(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 12);
  return /^(?:\xff\xd8\xff|\x89PNG|GIF8|RIFF.{4}WEBP|.{4}ftyp)/s.test(start);
}

/** The image type by its magic number, or why these bytes are no whole image. */
export async function sniffImage(bytes: Buffer): Promise<Sniffed> {
  if (bytes.length === 0) return { fault: 'the camera sent an empty body', error: CUT };
  const contentType = mayBeServed(bytes) ? (await fileTypeFromBuffer(bytes))?.mime : undefined;
  if (contentType === undefined || !isServedType(contentType)) {
    const fault = 'the camera sent no JPEG, PNG, GIF, WebP or AVIF image';
    return { fault, error: 'destination_unavailable' };
  }
  if (!endsWhole(bytes, contentType)) {
    return { fault: 'the camera sent a truncated image', error: CUT };
  }
  return { contentType };
}
