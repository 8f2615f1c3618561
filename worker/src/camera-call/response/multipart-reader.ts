import { createImageScan } from '../../image/image-scan.ts';
import { type BodyLimits, type BodyReader, bodyResultOf } from './body-reader.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { type BodyResult, badResponse, NO_ROOM } from './read-result.ts';

export function isMultipart(contentType: string | undefined): boolean {
  return /^multipart\//i.test(contentType ?? '');
}

const LF = 0x0a;
const MAX_DELIMITER_BYTES = 256;

/** A stream begins with at most a few parts that are not whole images. */
const MAX_PARTS = 100;
const MAX_PART_HEAD_BYTES = 64 * 1024;

/**
 * Reads the first whole image of an MJPEG stream (`multipart/x-mixed-replace`). Other parts are
 * skipped: a stream may begin in the middle of a picture. The delimiter is the first line of the
 * body, because what the head says about it is often wrong.
 */
export function createMultipartReader(limits: BodyLimits): BodyReader {
  let totalBytes = 0;
  let parts = 0;
  let delimiter: Buffer | undefined;
  let head = createPartHeadReader();
  let part: PartReader | undefined;
  /** The delimiter and the head of the current part, then its content. */
  const received = new GrowingBytes();
  const readParts = (bytes: Buffer): { result?: BodyResult | undefined; usedBytes: number } => {
    let start = 0;
    while (parts <= MAX_PARTS) {
      if (!part) {
        const found = head.read(bytes.subarray(start));
        if (found === 'more') return { usedBytes: start };
        if (found === 'too long') break;
        delimiter ??= found.delimiter;
        part = createPartReader(delimiter, limits);
        head = createPartHeadReader();
        start += found.endBytes;
      }
      const { result, nextPartAt } = part.read(bytes.subarray(start));
      if (result || nextPartAt === undefined) return { result, usedBytes: start };
      part = undefined;
      parts += 1;
      start += nextPartAt;
    }
    return { result: noImageIn(totalBytes), usedBytes: start };
  };
  return {
    read: (piece) => {
      totalBytes += piece.length;
      if (!limits.share.reserve(piece.length)) return NO_ROOM;
      received.append(piece);
      const { result, usedBytes } = readParts(received.bytes);
      if (usedBytes > 0 && !result) received.drop(usedBytes);
      return result ?? (totalBytes > limits.maxBytes ? noImageIn(totalBytes) : undefined);
    },
    end: (options) => {
      const last = part && wholeImage(received.bytes, limits, options);
      return last ?? noImageIn(totalBytes);
    },
  };
}

function noImageIn(bytes: number): BodyResult {
  const reason = `the camera sent an MJPEG stream (multipart) without a whole image in its first ${bytes} bytes`;
  return badResponse(reason, 'http_response_incomplete', { receivedStatus: 200 });
}

interface PartHeadReader {
  /** Finds the delimiter and the empty line after it. @param bytes everything so far */
  read(bytes: Buffer): 'more' | 'too long' | { delimiter: Buffer; endBytes: number };
}

/** Reads each line once: a hostile head never ends. */
function createPartHeadReader(): PartHeadReader {
  let delimiter: Buffer | undefined;
  let lineStart = 0;
  return {
    read: (bytes) => {
      while (lineStart <= MAX_PART_HEAD_BYTES) {
        const lineEnd = bytes.indexOf(LF, lineStart);
        if (lineEnd === -1) return bytes.length > MAX_PART_HEAD_BYTES ? 'too long' : 'more';
        const line = bytes.toString('latin1', lineStart, lineEnd).trim();
        lineStart = lineEnd + 1;
        if (line === '' && delimiter) return { delimiter, endBytes: lineStart };
        if (line !== '') delimiter ??= Buffer.from(line.slice(0, MAX_DELIMITER_BYTES), 'latin1');
      }
      return 'too long';
    },
  };
}

interface PartReader {
  /** `nextPartAt` is where the delimiter after this part begins. */
  read(bytes: Buffer): { result?: BodyResult | undefined; nextPartAt?: number };
}

function createPartReader(delimiter: Buffer, limits: BodyLimits): PartReader {
  const scan = createImageScan();
  let isImage = true;
  let searchedBytes = 0;
  return {
    read: (bytes) => {
      const nextPartAt = bytes.indexOf(delimiter, searchedBytes);
      if (nextPartAt !== -1) {
        const content = bytes.subarray(0, nextPartAt);
        return { result: wholeImage(content, limits, { acceptTruncated: false }), nextPartAt };
      }
      searchedBytes = Math.max(0, bytes.length - delimiter.length + 1);
      const found = isImage ? scan.advance(bytes) : undefined;
      isImage = found?.state === 'more';
      return found?.state === 'whole' ? { result: bodyResultOf(found, bytes, limits) } : {};
    },
  };
}

/** Scans from the start: a scan that has gone past the end cannot go back. */
function wholeImage(
  content: Buffer,
  limits: BodyLimits,
  options: { acceptTruncated: boolean },
): BodyResult | undefined {
  const scan = createImageScan();
  const advanced = scan.advance(content);
  const result = advanced.state === 'more' ? scan.finish(content, options) : advanced;
  return result.state === 'whole' ? bodyResultOf(result, content, limits) : undefined;
}
