import { crc32 } from 'node:zlib';
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

const SIGNATURE_BYTES = 8;
/** Length, type and checksum. */
const FRAMING_BYTES = 12;
const MAX_LENGTH = 0x7fff_ffff;
const MAX_SIDE = 1_000_000;

/** Bits per sample for each colour type. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const INDEXED = 3;
/** IEND ends the walk. */
const CRITICAL = new Set(['IHDR', 'PLTE', 'IDAT']);
const BROKEN_FRAME = 'a broken first animation frame';

interface Chunk {
  type: string;
  payload: Buffer;
  isIntact: boolean;
}

/** What decides about the chunks to come. */
interface PngState {
  header?: Buffer | undefined;
  hasPalette: boolean;
  /** Picture data: before, inside, after. */
  data: 'awaited' | 'present' | 'complete';
  isAnimated: boolean;
  animationFrames: number;
}

/** Walks the chunks to IEND. A PNG is whole once that has arrived, even without its checksum. */
export function* scanPng(input: ScanInput): FormatScan {
  const state: PngState = {
    hasPalette: false,
    data: 'awaited',
    isAnimated: false,
    animationFrames: 0,
  };
  let at = SIGNATURE_BYTES;
  for (;;) {
    if (input.bytes.length < at + 8 && !(yield* hasBytes(input, at + 8))) {
      // Browsers show what there is; only the option says that it is all.
      if (state.data !== 'awaited' && input.end?.acceptTruncated) return at;
      throw new TruncatedImage();
    }
    const type = input.bytes.toString('latin1', at + 4, at + 8);
    const end = at + FRAMING_BYTES + lengthAt(input.bytes, at);
    requireThat(state.header !== undefined || type === 'IHDR', 'it does not begin with its header');
    if (type === 'IEND') return yield* pngEnd(input, end, state);
    if (input.bytes.length < end) yield* requireBytes(input, end);
    readChunk(state, chunkAt(input.bytes, at, end, type));
    at = end;
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at);
  requireThat(length <= MAX_LENGTH, 'a chunk with an invalid length');
  return length;
}

function* pngEnd(input: ScanInput, end: number, state: PngState): Reading<number> {
  requireThat(state.data !== 'awaited', 'no picture data');
  requireThat(!state.isAnimated || state.animationFrames > 0, 'an animation without frames');
  return (yield* hasBytes(input, end)) ? end : input.bytes.length;
}

/** Decoders ignore checksums of chunks that they can do without. */
function chunkAt(bytes: Buffer, at: number, end: number, type: string): Chunk {
  const isNeeded = isCritical(type) || type === 'fcTL' || type === 'acTL';
  const isIntact =
    !isNeeded || crc32(bytes.subarray(at + 4, end - 4)) === bytes.readUInt32BE(end - 4);
  return { type, payload: bytes.subarray(at + 8, end - 4), isIntact };
}

function isCritical(type: string): boolean {
  return (type.charCodeAt(0) & 0x20) === 0;
}

function readChunk(state: PngState, chunk: Chunk): void {
  const { type, payload, isIntact } = chunk;
  if (isCritical(type)) requireKnown(type, isIntact);
  if (type !== 'IDAT' && state.data === 'present') state.data = 'complete';
  if (type === 'IHDR') readHeader(state, payload);
  else if (type === 'PLTE') readPalette(state, payload);
  else if (type === 'IDAT') readData(state);
  else if (type === 'acTL') readAnimation(state, chunk);
  else if (type === 'fcTL') readFrameControl(state, chunk);
  else if (type === 'fdAT')
    requireThat(state.data !== 'awaited', 'an animation frame before the picture');
}

function requireKnown(type: string, isIntact: boolean): void {
  requireThat(CRITICAL.has(type), 'an unknown chunk');
  requireThat(isIntact, `damaged data (checksum of ${type})`);
}

function readHeader(state: PngState, payload: Buffer): void {
  requireThat(state.header === undefined, 'two headers');
  requireThat(payload.length === 13, 'a broken header');
  const [width, height] = [payload.readUInt32BE(0), payload.readUInt32BE(4)];
  requireSize(width, height);
  requireThat(Math.max(width, height) <= MAX_SIDE, `a size of ${width} × ${height} pixels`);
  const [depth = 0, colourType = 0, compression, filter, interlace = 0] = payload.subarray(8);
  const isDepth = DEPTHS[colourType]?.includes(depth) ?? false;
  requireThat(isDepth && compression === 0 && filter === 0 && interlace <= 1, 'a broken header');
  state.header = payload;
}

function readPalette(state: PngState, payload: Buffer): void {
  requireThat(!state.hasPalette, 'two palettes');
  requireThat(payload.length >= 3 && payload.length <= 768, 'a broken palette');
  state.hasPalette = true;
}

function readData(state: PngState): void {
  requireThat(state.data !== 'complete', 'picture data in two places');
  const isIndexed = state.header?.[9] === INDEXED;
  requireThat(!isIndexed || state.hasPalette, 'no palette');
  state.data = 'present';
}

function readAnimation(state: PngState, { payload, isIntact }: Chunk): void {
  if (payload.length !== 8 || !isIntact || state.data !== 'awaited') return;
  state.isAnimated = payload.readUInt32BE(0) > 0;
}

/** The first one in front of the picture describes the picture itself. */
function readFrameControl(state: PngState, { payload, isIntact }: Chunk): void {
  state.animationFrames += 1;
  if (state.animationFrames === 1) {
    requireThat(payload.length === 26 && isIntact && payload.readUInt32BE(0) === 0, BROKEN_FRAME);
  }
  if (state.data !== 'awaited') return;
  const isWholePicture =
    state.animationFrames === 1 &&
    payload.length === 26 &&
    state.header !== undefined &&
    payload.subarray(4, 12).equals(state.header.subarray(0, 8)) &&
    payload.readBigUInt64BE(12) === 0n;
  const [disposal = 0, blending = 0] = payload.subarray(24);
  requireThat(isIntact && isWholePicture && disposal <= 2 && blending <= 1, BROKEN_FRAME);
}
