import { createImageScan } from '../../image/image-scan.ts';
import { type BodyLimits, type BodyReader, bodyResultOf } from './body-reader.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { badResponse, NO_ROOM, tooLarge } from './read-result.ts';

/**
 * Reads a body that is one image. It ends where its own structure says: a wrong length, a missing
 * last chunk or a connection that stays open does not matter.
 * @param announcedBytes allocated at once, and reserved by the caller
 */
export function createImageReader(limits: BodyLimits, announcedBytes = 0): BodyReader {
  const { maxBytes, share } = limits;
  const received = new GrowingBytes(announcedBytes);
  const scan = createImageScan();
  let reservedBytes = announcedBytes;
  return {
    read: (piece) => {
      const sizeBytes = received.length + piece.length;
      if (sizeBytes > reservedBytes && !share.reserve(sizeBytes - reservedBytes)) return NO_ROOM;
      reservedBytes = Math.max(reservedBytes, sizeBytes);
      received.append(piece);
      const result = scan.advance(received.bytes);
      if (result.state !== 'more') return bodyResultOf(result, received.bytes, limits);
      return sizeBytes > maxBytes ? tooLarge(maxBytes) : undefined;
    },
    end: (options) => {
      if (received.length === 0) return EMPTY;
      return bodyResultOf(scan.finish(received.bytes, options), received.bytes, limits);
    },
  };
}

const EMPTY = badResponse('the camera sent an empty body', 'http_response_incomplete');
