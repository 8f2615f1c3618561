import type { ImageScanResult } from '../../image/image-scan.ts';
import type { ByteShare } from '../byte-budget.ts';
import { type BodyResult, badResponse, tooLarge } from './read-result.ts';

/** Looks for an image in a body while it arrives. */
export interface BodyReader {
  /** Returns the result as soon as there is one. */
  read(piece: Buffer): BodyResult | undefined;
  /**
   * Returns the result of a body that ends here.
   * @param options.acceptTruncated whether a JPEG may lack its end marker
   */
  end(options: { acceptTruncated: boolean }): BodyResult;
}

export interface BodyLimits {
  maxBytes: number;
  /** Of the byte budget. */
  share: Pick<ByteShare, 'reserve'>;
}

/** Returns the result of a finished scan. Cuts off what follows the image. */
export function bodyResultOf(
  scan: Exclude<ImageScanResult, { state: 'more' }>,
  bytes: Buffer,
  { maxBytes }: Pick<BodyLimits, 'maxBytes'>,
): BodyResult {
  if (scan.state === 'invalid') return badResponse(scan.fault, scan.error, { receivedStatus: 200 });
  const { contentType, endBytes } = scan;
  if (endBytes > maxBytes) return tooLarge(maxBytes);
  return { outcome: 'read', bytes: bytes.subarray(0, endBytes), contentType };
}
