import {
  type FormatScan,
  hasBytes,
  type Reading,
  requireBytes,
  requireSize,
  requireThat,
  type ScanInput,
  TruncatedImage,
} from './scan-input.ts';

const SCREEN_BYTES = 13;
const IMAGE = 0x2c;
const EXTENSION = 0x21;
const TRAILER = 0x3b;
const GRAPHIC_CONTROL = 0xf9;
const MAX_COLOUR_BITS = 8;

/** Walks the blocks to the trailer. */
export function* scanGif(input: ScanInput): FormatScan {
  yield* requireBytes(input, SCREEN_BYTES);
  let at = SCREEN_BYTES + paletteBytes(input.bytes[10] ?? 0);
  let images = 0;
  for (;;) {
    // Between two images, browsers take the end of the bytes, or anything else, for the trailer.
    if (input.bytes.length <= at && !(yield* hasBytes(input, at + 1))) {
      if (images > 0 && at === input.bytes.length) return at;
      throw new TruncatedImage();
    }
    const kind = input.bytes[at];
    if (kind === TRAILER && images > 0) return at + 1;
    if (kind === EXTENSION) {
      at = yield* extensionEnd(input, at, images === 0);
    } else if (kind === IMAGE) {
      at = yield* imageEnd(input, at, images === 0);
      images += 1;
    } else {
      requireThat(images > 0, kind === TRAILER ? 'no picture' : 'a broken block');
      return at;
    }
  }
}

function paletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function* extensionEnd(input: ScanInput, at: number, isFirst: boolean): Reading<number> {
  if (input.bytes.length < at + 3) yield* requireBytes(input, at + 3);
  if (isFirst && input.bytes[at + 1] === GRAPHIC_CONTROL) {
    yield* requireBytes(input, at + 8);
    const isWellFormed = input.bytes[at + 2] === 4 && input.bytes[at + 7] === 0;
    requireThat(isWellFormed, 'a broken graphic control extension');
  }
  return yield* subBlocksEnd(input, at + 2);
}

function* imageEnd(input: ScanInput, at: number, isFirst: boolean): Reading<number> {
  yield* requireBytes(input, at + 10);
  const codesAt = at + 10 + paletteBytes(input.bytes[at + 9] ?? 0);
  yield* requireBytes(input, codesAt + 2);
  if (isFirst) {
    const blockEnd = codesAt + 2 + (input.bytes[codesAt + 1] ?? 0);
    yield* requireBytes(input, blockEnd);
    requireFirstSize(input.bytes, at);
    const colourBits = input.bytes[codesAt] ?? 0;
    requireCodes(input.bytes.subarray(codesAt + 2, blockEnd), colourBits);
  }
  return yield* subBlocksEnd(input, codesAt + 1);
}

/** Browsers show the first image even if later ones are broken. */
function requireFirstSize(bytes: Buffer, at: number): void {
  const width = bytes.readUInt16LE(at + 5);
  const height = bytes.readUInt16LE(at + 7);
  requireSize(width, height);
  // Browsers enlarge the screen to its first image.
  requireSize(
    Math.max(bytes.readUInt16LE(6), bytes.readUInt16LE(at + 1) + width),
    Math.max(bytes.readUInt16LE(8), bytes.readUInt16LE(at + 3) + height),
  );
}

/** LZW data begins with one code that clears the table, or several, and then a colour. */
function requireCodes(block: Buffer, colourBits: number): void {
  requireThat(block.length > 0 && colourBits <= MAX_COLOUR_BITS, 'no picture data');
  const head = block.readUIntLE(0, Math.min(3, block.length));
  const clear = 2 ** colourBits;
  const first = head % (2 * clear);
  // Two codes may not fit into a block of one byte.
  const second = block.length > 2 ? Math.floor(head / (2 * clear)) % (2 * clear) : 0;
  const isColour = first < clear || (first === clear && second <= clear);
  requireThat(isColour, 'broken picture data');
}

/** Each begins with its length; an empty one is the last. */
function* subBlocksEnd(input: ScanInput, start: number): Reading<number> {
  let at = start;
  for (;;) {
    while (at < input.bytes.length) {
      const length = input.bytes[at] ?? 0;
      at += 1 + length;
      if (length === 0) return at;
    }
    yield* requireBytes(input, at + 1);
  }
}
