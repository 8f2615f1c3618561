import { describeNonImage } from './not-an-image.ts';
import {
  hasBytes,
  InvalidImage,
  type Reading,
  type ScanInput,
  TruncatedImage,
} from './scan-input.ts';
import { formatOf, type ImageFormat } from './signature.ts';

export type ImageScanResult =
  /** Not whole yet. */
  | { state: 'more' }
  /** The image ends at this offset; what follows is padding or a trailer. */
  | { state: 'whole'; contentType: string; endBytes: number }
  /** No browser shows these bytes, whatever follows. `error` is an error type of RFC 9209. */
  | { state: 'invalid'; fault: string; error: string };
export type FinalScanResult = Exclude<ImageScanResult, { state: 'more' }>;

export interface ImageScan {
  /** Continues where it stopped. `bytes` is everything so far; earlier bytes never change. */
  advance(bytes: Buffer): ImageScanResult;
  /** The body has ended here: what is not whole now is invalid. */
  finish(bytes: Buffer, options: { acceptTruncated: boolean }): FinalScanResult;
}

/** Enough to tell what else it is. */
const HEAD_BYTES = 1024;
const INCOMPLETE = 'http_response_incomplete';
const NO_IMAGE = 'destination_unavailable';
const MORE: ImageScanResult = { state: 'more' };

/**
 * Follows the structure of an image while its bytes arrive, as far as browsers need it to show the
 * image; no pixel is decoded. Takes time in proportion to the bytes, however many pieces they
 * arrive in.
 */
export function createImageScan(): ImageScan {
  const input: ScanInput = { bytes: Buffer.alloc(0) };
  const scan = scanImage(input);
  let awaitedBytes = 1;
  let result: FinalScanResult | undefined;
  const resume = (): ImageScanResult => {
    if (result) return result;
    const { done, value } = scan.next();
    if (done) result = value;
    else awaitedBytes = value;
    return result ?? MORE;
  };
  return {
    advance: (bytes) => {
      input.bytes = bytes;
      return result ?? (bytes.length < awaitedBytes ? MORE : resume());
    },
    finish: (bytes, options) => {
      input.bytes = bytes;
      input.end = options;
      const final = resume();
      if (final.state === 'more') throw new Error('a scan waits although its input has ended');
      return final;
    },
  };
}

function* scanImage(input: ScanInput): Reading<FinalScanResult> {
  const format = yield* awaitFormat(input);
  if (!format) return nonImage(input.bytes.subarray(0, HEAD_BYTES));
  try {
    const endBytes = yield* format.scan(input);
    return { state: 'whole', contentType: format.contentType, endBytes };
  } catch (error) {
    return faultOf(error, format);
  }
}

/** The shortest images have hardly more bytes than their signature, so none is waited for. */
function* awaitFormat(input: ScanInput): Reading<ImageFormat | undefined> {
  for (;;) {
    const head = input.bytes.subarray(0, HEAD_BYTES);
    const format = formatOf(head);
    const isFinal = format !== undefined || head.length === HEAD_BYTES;
    if (isFinal || !(yield* hasBytes(input, head.length + 1))) return format;
  }
}

function nonImage(head: Buffer): FinalScanResult {
  if (head.length === 0) return invalid('the camera sent an empty body', INCOMPLETE);
  return invalid(describeNonImage(head), NO_IMAGE);
}

function faultOf(error: unknown, { name }: ImageFormat): FinalScanResult {
  if (error instanceof TruncatedImage) {
    return invalid('the camera sent a truncated image', INCOMPLETE);
  }
  if (error instanceof InvalidImage) {
    return invalid(`the camera sent ${name} that no browser shows: ${error.message}`, NO_IMAGE);
  }
  throw error;
}

function invalid(fault: string, error: string): FinalScanResult {
  return { state: 'invalid', fault, error };
}
