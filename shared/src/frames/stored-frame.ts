import { isEtag } from '../http/etag.ts';
import { storedTimeMs, wholeNumber } from '../redis/redis-values.ts';
import { type Dimensions, type Frame, isServedType } from './frame.ts';

/** `bytes` are missing if the reader has them or wants none. */
export type StoredFrame = Omit<Frame, 'bytes'> & {
  bytes?: Buffer;
  sizeBytes: number;
  startedAgoMs: number;
  capturedAgoMs: number;
};

/** The fields of a frame's hash except its bytes, in the order of `read-frame.lua`. */
export type FrameHead = (Buffer | null)[];

/**
 * Decodes a stored frame. Every field is checked, because it ends up in a response header or a
 * `Date`. The next capture replaces a malformed record.
 * @returns `undefined` if there is no record, the name of the invalid field if it is malformed
 */
export function decodeStoredFrame(
  cameraId: string,
  head: FrameHead,
  content: { bytes: Buffer | null; sizeBytes: number },
  nowMs: number,
): { frame: StoredFrame } | { malformed: string } | undefined {
  if (head.every((field) => field === null)) return undefined;
  const [started, captured, changed, type, etagField, due, ...size] = head;
  const startedAtMs = storedTimeMs(started);
  const capturedAtMs = storedTimeMs(captured);
  const changedAtMs = storedTimeMs(changed);
  const contentType = shortText(type);
  const etag = shortText(etagField);
  // A worker of an older version does not update it: it may belong to an earlier frame.
  const dueAtMs = storedTimeMs(due) ?? startedAtMs ?? 0;
  const { bytes, sizeBytes } = content;
  const dimensions = dimensionsOf(size);
  if (startedAtMs === undefined) return { malformed: 'startedAt' };
  if (capturedAtMs === undefined) return { malformed: 'capturedAt' };
  if (changedAtMs === undefined) return { malformed: 'changedAt' };
  if (!isServedType(contentType)) return { malformed: 'type' };
  if (!isEtag(etag)) return { malformed: 'etag' };
  if (dimensions === 'malformed') return { malformed: 'width, height' };
  if (!(sizeBytes > 0) || (bytes && bytes.length !== sizeBytes)) return { malformed: 'bytes' };
  const frame = {
    cameraId,
    contentType,
    etag,
    ...(bytes && { bytes }),
    sizeBytes,
    ...(dimensions && { dimensions }),
    startedAtMs,
    capturedAtMs,
    changedAtMs,
    ...(dueAtMs > startedAtMs && { freshForMs: dueAtMs - startedAtMs }),
    // Never negative: a clock set back must not make a frame fresh for an hour.
    startedAgoMs: Math.max(0, nowMs - startedAtMs),
    capturedAgoMs: Math.max(0, nowMs - capturedAtMs),
  };
  return { frame };
}

function shortText(field: Buffer | null | undefined): string {
  return field && field.length <= 100 ? field.toString('latin1') : '';
}

const MAX_PIXELS = 1_000_000;

/** Both are empty if the image lacks them, and missing in frames of older versions. */
function dimensionsOf([width, height]: FrameHead): Dimensions | undefined | 'malformed' {
  if (!width?.length && !height?.length) return undefined;
  const dimensions = { width: wholeNumber(width) ?? 0, height: wholeNumber(height) ?? 0 };
  const isSize = (pixels: number) => pixels >= 1 && pixels <= MAX_PIXELS;
  return isSize(dimensions.width) && isSize(dimensions.height) ? dimensions : 'malformed';
}
