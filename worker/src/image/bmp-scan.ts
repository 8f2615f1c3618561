import {
  type FormatScan,
  type Reading,
  requireBytes,
  requireSize,
  requireThat,
  type ScanInput,
} from './scan-input.ts';

const FILE_HEAD_BYTES = 14;
/** Of OS/2 1, with sizes of 16 bits; all later ones begin like that of Windows 3. */
const CORE_HEAD_BYTES = 12;
const WINDOWS_HEADS = [40, 52, 56, 108, 124];
const MASKS_AT = 54;
const MAX_SIDE = 65_535;

const UNCOMPRESSED = 0;
const RUN_LENGTHS_8 = 1;
const RUN_LENGTHS_4 = 2;
const BIT_FIELDS = 3;
/** The bits per pixel that a compression goes with. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  [UNCOMPRESSED]: [1, 2, 4, 8, 16, 24, 32],
  [RUN_LENGTHS_8]: [8],
  [RUN_LENGTHS_4]: [4],
  [BIT_FIELDS]: [16, 32],
};

interface BmpHead {
  width: number;
  /** Negative if rows go from top to bottom. */
  height: number;
  bitsPerPixel: number;
  compression: number;
  /** 0 for as many as its bits allow. */
  paletteColours: number;
}

/** Returns whether a BMP may begin with these 18 bytes; any text may begin with its signature. */
export function isBmpHead(bytes: Buffer): boolean {
  const size = bytes.readUInt32LE(FILE_HEAD_BYTES);
  const isHead = size === CORE_HEAD_BYTES || WINDOWS_HEADS.includes(size) || isOs2Head(size);
  return isHead && bytes.toString('latin1', 0, 2) === 'BM';
}

/** OS/2 2 leaves out fields at the end. */
function isOs2Head(size: number): boolean {
  return size >= 16 && size <= 64 && (size % 4 === 0 || size === 42 || size === 46);
}

/** The size of its rows follows from the head. The size that the file claims is often wrong. */
export function* scanBmp(input: ScanInput): FormatScan {
  const headBytes = input.bytes.readUInt32LE(FILE_HEAD_BYTES);
  yield* requireBytes(input, FILE_HEAD_BYTES + headBytes);
  const head = headOf(input.bytes, headBytes);
  requireHead(head);
  const hasMasks = head.compression !== BIT_FIELDS || WINDOWS_HEADS.includes(headBytes);
  requireThat(hasMasks, 'a compression that only OS/2 knows');
  const dataAt = input.bytes.readUInt32LE(10);
  requireThat(dataAt >= FILE_HEAD_BYTES + headBytes, 'picture data inside its header');
  if (head.compression === RUN_LENGTHS_8 || head.compression === RUN_LENGTHS_4) {
    return yield* runsEnd(input, dataAt, head.compression);
  }
  yield* requireBytes(input, FILE_HEAD_BYTES + headBytes + paletteBytes(head, headBytes));
  if (head.compression === BIT_FIELDS) yield* requireMasks(input, headBytes, head.bitsPerPixel);
  const rowBytes = 4 * Math.ceil((head.width * head.bitsPerPixel) / 32);
  const end = dataAt + rowBytes * Math.abs(head.height);
  yield* requireBytes(input, end);
  return end;
}

function headOf(bytes: Buffer, headBytes: number): BmpHead {
  if (headBytes === CORE_HEAD_BYTES) {
    const [width, height] = [bytes.readUInt16LE(18), bytes.readUInt16LE(20)];
    return {
      width,
      height,
      bitsPerPixel: bytes.readUInt16LE(24),
      compression: UNCOMPRESSED,
      paletteColours: 0,
    };
  }
  const field = (at: number) =>
    at + 4 <= FILE_HEAD_BYTES + headBytes ? bytes.readUInt32LE(at) : 0;
  return {
    width: bytes.readInt32LE(18),
    height: bytes.readInt32LE(22),
    bitsPerPixel: bytes.readUInt16LE(28),
    compression: field(30),
    paletteColours: field(46),
  };
}

function requireHead({ width, height, bitsPerPixel, compression }: BmpHead): void {
  requireSize(width, Math.abs(height));
  requireThat(
    Math.max(width, Math.abs(height)) <= MAX_SIDE,
    `a size of ${width} × ${height} pixels`,
  );
  const isDepth = DEPTHS[compression]?.includes(bitsPerPixel) ?? false;
  requireThat(isDepth, `compression ${compression} with ${bitsPerPixel} bits per pixel`);
  const hasRuns = compression === RUN_LENGTHS_8 || compression === RUN_LENGTHS_4;
  requireThat(!hasRuns || height > 0, 'run lengths from top to bottom');
}

/** The bits of each colour are in one run. */
function* requireMasks(input: ScanInput, headBytes: number, bitsPerPixel: number): Reading<void> {
  // Behind the head of Windows 3; later ones include them, and transparency as a fourth.
  const end = MASKS_AT + 4 * (headBytes >= 56 ? 4 : 3);
  yield* requireBytes(input, end);
  for (let at = MASKS_AT; at < end; at += 4) {
    const mask = input.bytes.readUInt32LE(at);
    const runs = mask.toString(2).split('0').filter(Boolean).length;
    requireThat(mask < 2 ** bitsPerPixel && runs <= 1, 'broken colour masks');
  }
}

/** Decoders read the palette even if the rows begin inside it. */
function paletteBytes({ bitsPerPixel, paletteColours }: BmpHead, headBytes: number): number {
  if (bitsPerPixel > 8) return 0;
  const most = 2 ** bitsPerPixel;
  const colours = paletteColours > 0 ? Math.min(paletteColours, most) : most;
  return colours * (headBytes === CORE_HEAD_BYTES ? 3 : 4);
}

/** Pairs of a count and a colour, until 0, 1; 0, 2 moves on, and 0, n has n colours by themselves. */
function* runsEnd(input: ScanInput, start: number, compression: number): Reading<number> {
  const coloursPerByte = compression === RUN_LENGTHS_8 ? 1 : 2;
  let at = start;
  for (;;) {
    if (input.bytes.length < at + 2) yield* requireBytes(input, at + 2);
    const count = input.bytes[at];
    const value = input.bytes[at + 1] ?? 0;
    at += 2;
    if (count !== 0 || value === 0) continue;
    if (value === 1) return at;
    at += value === 2 ? 2 : 2 * Math.ceil(value / coloursPerByte / 2);
  }
}
