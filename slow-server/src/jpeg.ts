/** A JPEG as a row of parts: padding is one segment many times, so 64 MiB cost no memory. */
export interface Jpeg {
  parts: Uint8Array[];
  sizeBytes: number;
}

/** A segment's length has 16 bits and counts itself, but not the marker's two bytes. */
const MAX_SEGMENT_BYTES = 2 + 0xffff;
const MIN_SEGMENT_BYTES = 4;

/** Fills a JPEG up to `sizeBytes` with comment segments; decoders skip them. It never gets smaller. */
export function paddedJpeg(jpeg: Uint8Array, sizeBytes = 0): Jpeg {
  const missing = sizeBytes - jpeg.length;
  if (missing < MIN_SEGMENT_BYTES) return { parts: [jpeg], sizeBytes: jpeg.length };
  const count = Math.ceil(missing / MAX_SEGMENT_BYTES);
  const least = Math.floor(missing / count);
  const shorter = commentSegment(least);
  const longer = missing % count === 0 ? shorter : commentSegment(least + 1);
  const segments = Array.from({ length: count }, (_, i) =>
    i < missing % count ? longer : shorter,
  );
  const at = endOfHeader(jpeg);
  return { parts: [jpeg.subarray(0, at), ...segments, jpeg.subarray(at)], sizeBytes };
}

/** The first half of the bytes: a picture that breaks off and has no end marker. */
export function firstHalf({ parts, sizeBytes }: Jpeg): Uint8Array {
  return Buffer.concat(parts, Math.ceil(sizeBytes / 2));
}

function commentSegment(sizeBytes: number): Uint8Array {
  const segment = Buffer.alloc(sizeBytes, '.');
  segment.writeUInt16BE(0xfffe, 0);
  segment.writeUInt16BE(sizeBytes - 2, 2);
  return segment;
}

/** A comment as long as one can be. */
export const COMMENT = commentSegment(MAX_SEGMENT_BYTES);

/** Behind the start marker, and behind JFIF's own segment where there is one: it has to be first. */
function endOfHeader(jpeg: Uint8Array): number {
  const isJfif = jpeg[2] === 0xff && jpeg[3] === 0xe0;
  return isJfif ? 4 + (jpeg[4] ?? 0) * 256 + (jpeg[5] ?? 0) : 2;
}
