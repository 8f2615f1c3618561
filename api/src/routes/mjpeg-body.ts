import type { HeldFrame } from '../cache/memory-cache.ts';

const BOUNDARY = 'frame';
export const MJPEG_TYPE = `multipart/x-mixed-replace; boundary=${BOUNDARY}`;

const heads = new Map<string, Buffer>();

/**
 * Begins a part. Without a length: browsers show a part when it is over, that is at the next
 * boundary, so this is sent right behind each picture and not only with the next one.
 */
function partHead(contentType: string): Buffer {
  const known = heads.get(contentType);
  if (known) return known;
  const head = Buffer.from(`\r\n--${BOUNDARY}\r\nContent-Type: ${contentType}\r\n\r\n`);
  heads.set(contentType, head);
  return head;
}

/**
 * A frame in pieces that are never copied for a viewer. The head of its part has been sent behind
 * the frame before, with that one's type: a camera that changes its format is rare, and browsers go
 * by the bytes.
 */
export function mjpegPieces({ bytes, contentType }: HeldFrame, isFirst: boolean): Uint8Array[] {
  const head = partHead(contentType);
  return isFirst ? [head.subarray(2), bytes, head] : [bytes, head];
}
