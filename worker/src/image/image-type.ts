import { isServedType } from '@lastframe/shared/frames/frame';
import { fileTypeFromBuffer } from 'file-type';
import { isCompleteImage } from './image-end.ts';

/** `error` is an error type of RFC 9209. */
export type SniffResult = { contentType: string } | { fault: string; error: string };

const INCOMPLETE = 'http_response_incomplete';

/** Checks the first bytes for served types: the library would inflate archives to identify them. */
function mayBeServed(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 12);
  return /^(?:\xff\xd8\xff|\x89PNG|GIF8|RIFF.{4}WEBP|.{4}ftyp)/s.test(start);
}

/** Returns the image type by its magic number, or why these bytes are not a complete image. */
export async function sniffImage(bytes: Buffer): Promise<SniffResult> {
  if (bytes.length === 0) return { fault: 'the camera sent an empty body', error: INCOMPLETE };
  const contentType = mayBeServed(bytes) ? (await fileTypeFromBuffer(bytes))?.mime : undefined;
  if (contentType === undefined || !isServedType(contentType)) {
    const fault = 'the camera did not send a JPEG, PNG, GIF, WebP or AVIF image';
    return { fault, error: 'destination_unavailable' };
  }
  if (!isCompleteImage(bytes, contentType)) {
    return { fault: 'the camera sent a truncated image', error: INCOMPLETE };
  }
  return { contentType };
}
