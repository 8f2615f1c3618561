import { requireThat } from './scan-input.ts';

const SEQUENCE_HEADER = 1;
const TEMPORAL_DELIMITER = 2;
/** A frame header, or a frame with it. */
const FRAMES = [3, 6];
const BROKEN = 'no AV1 data where it should be';

/** Requires that these are the units of an AV1 stream (section 5.3): a header and then a frame. */
export function requireAv1(data: Buffer): void {
  let at = 0;
  let hasHeader = false;
  let hasFrame = false;
  while (at < data.length) {
    const head = data[at] ?? 0;
    const type = (head >> 3) & 15;
    requireThat(hasHeader || type === SEQUENCE_HEADER || type === TEMPORAL_DELIMITER, BROKEN);
    hasHeader ||= type === SEQUENCE_HEADER;
    hasFrame ||= FRAMES.includes(type);
    at = unitEnd(data, at + (head & 4 ? 2 : 1), (head & 2) !== 0);
    requireThat(at <= data.length, BROKEN);
  }
  requireThat(hasHeader && hasFrame, BROKEN);
}

/** Only the last unit may leave out its size. */
function unitEnd(data: Buffer, start: number, hasSize: boolean): number {
  if (!hasSize) return data.length;
  let size = 0;
  for (let index = 0; index < 8; index += 1) {
    const byte = data[start + index] ?? 0;
    size += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return start + index + 1 + size;
  }
  return Number.POSITIVE_INFINITY;
}
