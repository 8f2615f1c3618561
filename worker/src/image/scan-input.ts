/** The bytes of an image so far. Earlier bytes never change. */
export interface ScanInput {
  bytes: Buffer;
  /** Set once no more bytes will come. */
  end?: { acceptTruncated: boolean } | undefined;
}

/**
 * Follows the structure of an image. Yields the length that it waits for, and returns the offset at
 * which the image ends. Throws `InvalidImage` or `TruncatedImage`.
 */
export type FormatScan = Generator<number, number, void>;

/** A scan's way of reading: yields while it waits. */
export type Reading<Result> = Generator<number, Result, void>;

/** What is wrong with an image. */
export class ImageFault extends Error {}

/** No browser shows these bytes, whatever follows. The message says why, for people. */
export class InvalidImage extends ImageFault {}

/** The bytes ended before the image did. */
export class TruncatedImage extends ImageFault {}

/** Browsers refuse larger pictures. */
const MAX_PIXELS = 2 ** 29 - 1;

/** Waits until there are `length` bytes; returns false if there will never be. */
export function* hasBytes(input: ScanInput, length: number): Reading<boolean> {
  while (input.bytes.length < length) {
    if (input.end) return false;
    yield length;
  }
  return true;
}

/** Waits until there are `length` bytes. */
export function* requireBytes(input: ScanInput, length: number): Reading<void> {
  if (!(yield* hasBytes(input, length))) throw new TruncatedImage();
}

export function requireThat(isRight: boolean, fault: string): asserts isRight {
  if (!isRight) throw new InvalidImage(fault);
}

export function requireSize(width: number, height: number): void {
  requireThat(width > 0 && height > 0, 'its size is zero');
  requireThat(width * height <= MAX_PIXELS, `${width} × ${height} pixels are too many`);
}
