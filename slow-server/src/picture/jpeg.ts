/** A JPEG in parts: padding repeats one segment, so 64 MiB cost no memory. */
export interface Jpeg {
  parts: Uint8Array[];
  sizeBytes: number;
}

/** A segment's length has 16 bits and counts itself, but not the marker's two bytes. */
const MAX_SEGMENT_BYTES = 2 + 0xffff;
const MIN_SEGMENT_BYTES = 4;

/** Pads a JPEG to `sizeBytes` with comment segments, which decoders skip. Never shrinks it. */
export function padJpeg(jpeg: Uint8Array, sizeBytes = 0): Jpeg {
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

/** Returns the first half of the bytes: a truncated picture without an end marker. */
export function firstHalf({ parts, sizeBytes }: Jpeg): Uint8Array {
  return Buffer.concat(parts, Math.ceil(sizeBytes / 2));
}

function commentSegment(sizeBytes: number): Uint8Array {
  const segment = Buffer.alloc(sizeBytes, '.');
  segment.writeUInt16BE(0xfffe, 0);
  segment.writeUInt16BE(sizeBytes - 2, 2);
  return segment;
}

/** A comment of the maximum length. */
export const COMMENT_SEGMENT = commentSegment(MAX_SEGMENT_BYTES);

/** Returns the offset after the start marker and any JFIF segment, which has to be first. */
function endOfHeader(jpeg: Uint8Array): number {
  const isJfif = jpeg[2] === 0xff && jpeg[3] === 0xe0;
  return isJfif ? 4 + (jpeg[4] ?? 0) * 256 + (jpeg[5] ?? 0) : 2;
}
