import {
  isShowable,
  isShowableCut,
  type JpegHeaders,
  newHeaders,
  READ,
  readSegment,
} from './jpeg-headers.ts';
import {
  type FormatScan,
  type Reading,
  requireBytes,
  requireThat,
  type ScanInput,
  TruncatedImage,
} from './scan-input.ts';

const EOI = 0xd9;
/** APPn, comments and DNL. */
const SKIPPED = new Set([...Array.from({ length: 16 }, (_, n) => 0xe0 + n), 0xfe, 0xdc]);
const START_MARKER = Buffer.from([0xff, 0xd8]);
const END_MARKER = Buffer.from([0xff, EOI]);

/** Ends at the first end marker after a scan; a thumbnail's lies inside a segment. */
export function* scanJpeg(input: ScanInput): FormatScan {
  const headers = newHeaders();
  try {
    return yield* walkSegments(input, headers);
  } catch (error) {
    const isCut = error instanceof TruncatedImage && input.end?.acceptTruncated;
    if (isCut && isShowableCut(headers)) return input.bytes.length;
    throw error;
  }
}

/** Like libjpeg, skips fill bytes, stray bytes between segments, and the data of scans. */
function* walkSegments(input: ScanInput, headers: JpegHeaders): Reading<number> {
  let at = 2;
  while (!headers.isLastScan) {
    const codeAt = findMarker(input.bytes, at) ?? (yield* nextMarker(input, at));
    const marker = input.bytes[codeAt] ?? 0;
    at = codeAt + 1;
    if (marker === EOI) {
      requireThat(isShowable(headers), 'no picture data');
      return at;
    }
    if (isStandalone(marker)) continue;
    if (input.bytes.length < at + 2) yield* requireBytes(input, at + 2);
    const end = segmentEnd(input.bytes, at, marker);
    if (input.bytes.length < end) yield* requireBytes(input, end);
    if (READ.has(marker)) readSegment(headers, marker, input.bytes.subarray(at + 2, end));
    at = end;
  }
  return yield* endFrom(input, at);
}

/** Returns where the segment ends of which the length begins here. */
function segmentEnd(bytes: Buffer, at: number, marker: number): number {
  const length = bytes.readUInt16BE(at);
  // Decoders skip nothing if the length is less than its own.
  if (SKIPPED.has(marker)) return at + Math.max(2, length);
  requireThat(READ.has(marker), `unknown marker ff${marker.toString(16).padStart(2, '0')}`);
  requireThat(length >= 2, 'a segment with an invalid length');
  return at + length;
}

/**
 * All of the picture is in this scan: whatever else follows, decoders don't need it. If another
 * image begins before the end marker, the camera broke off this one; a browser would show a part.
 */
function* endFrom(input: ScanInput, start: number): Reading<number> {
  let at = start;
  for (;;) {
    const found = input.bytes.indexOf(END_MARKER, at);
    if (found !== -1) {
      if (input.bytes.subarray(start, found).includes(START_MARKER)) throw new TruncatedImage();
      return found + 2;
    }
    at = Math.max(at, input.bytes.length - 1);
    yield* requireBytes(input, input.bytes.length + 1);
  }
}

/** Returns where the code of the next marker is. */
function* nextMarker(input: ScanInput, start: number): Reading<number> {
  let at = start;
  for (;;) {
    const found = findMarker(input.bytes, at);
    if (found !== undefined) return found;
    const { length } = input.bytes;
    at = Math.max(at, input.bytes[length - 1] === 0xff ? length - 1 : length);
    yield* requireBytes(input, length + 1);
  }
}

/** Skips 0xff00, which stands for a 0xff in a scan. */
function findMarker(bytes: Buffer, start: number): number | undefined {
  let at = bytes.indexOf(0xff, start);
  while (at !== -1 && at + 1 < bytes.length) {
    const code = bytes[at + 1];
    if (code !== 0x00 && code !== 0xff) return at + 1;
    at = code === 0xff ? at + 1 : bytes.indexOf(0xff, at + 2);
  }
  return undefined;
}

/** TEM and restart markers. */
function isStandalone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
}
