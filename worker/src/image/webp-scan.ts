import {
  type FormatScan,
  requireBytes,
  requireSize,
  requireThat,
  type ScanInput,
} from './scan-input.ts';
import { pictureSizeOf, type Size } from './webp-picture.ts';

const RIFF_HEAD_BYTES = 12;
const CHUNK_HEAD_BYTES = 8;
const MAX_SIZE = 0xffff_fff6;
const CANVAS_BYTES = 10;
const FRAME_HEAD_BYTES = 16;
const IS_ANIMATED = 0x02;
const RESERVED = 0xc1;

interface Chunk {
  type: string;
  payload: Buffer;
}

/** Its head has the size, and decoders check every chunk inside before they show anything. */
export function* scanWebp(input: ScanInput): FormatScan {
  yield* requireBytes(input, RIFF_HEAD_BYTES);
  const size = input.bytes.readUInt32LE(4);
  requireThat(size > RIFF_HEAD_BYTES && size <= MAX_SIZE, 'an invalid file size');
  const end = 8 + size;
  yield* requireBytes(input, end);
  requireChunks(chunksOf(input.bytes.subarray(RIFF_HEAD_BYTES, end)));
  return end;
}

function* chunksOf(bytes: Buffer): Generator<Chunk, void, void> {
  let at = 0;
  while (at < bytes.length) {
    requireThat(at + CHUNK_HEAD_BYTES <= bytes.length, 'stray bytes between its chunks');
    const type = bytes.toString('latin1', at, at + 4);
    const start = at + CHUNK_HEAD_BYTES;
    const length = bytes.readUInt32LE(at + 4);
    at = start + length + (length % 2);
    requireThat(at <= bytes.length, 'a chunk longer than the file');
    yield { type, payload: bytes.subarray(start, start + length) };
  }
}

function requireChunks(chunks: Generator<Chunk, void, void>): void {
  const { value: first } = chunks.next();
  requireThat(first !== undefined, 'no picture');
  if (first.type === 'VP8X') {
    requireExtended(first.payload, chunks);
  } else {
    requireThat(pictureSizeOf(first.type, first.payload) !== undefined, 'no picture');
    while (!chunks.next().done); // decoders ignore them, but not their lengths
  }
}

function requireExtended(head: Buffer, chunks: Generator<Chunk, void, void>): void {
  requireThat(head.length === CANVAS_BYTES, 'a broken header');
  const canvas = { width: 1 + head.readUIntLE(4, 3), height: 1 + head.readUIntLE(7, 3) };
  requireSize(canvas.width, canvas.height);
  const flags = head[0] ?? 0;
  requireThat((flags & RESERVED) === 0, 'a broken header');
  const hasPicture = flags & IS_ANIMATED ? hasFrame(canvas, chunks) : hasStill(canvas, chunks);
  requireThat(hasPicture, 'no picture');
}

function hasStill(canvas: Size, chunks: Iterable<Chunk>): boolean {
  let hasPicture = false;
  for (const chunk of chunks) {
    requireThat(chunk.type !== 'ALPH' || !hasPicture, 'transparency behind its picture');
    const size = pictureSizeOf(chunk.type, chunk.payload);
    const fits =
      size === undefined || (size.width === canvas.width && size.height === canvas.height);
    requireThat(fits, 'a picture of another size than its header says');
    hasPicture ||= size !== undefined;
  }
  return hasPicture;
}

function hasFrame(canvas: Size, chunks: Iterable<Chunk>): boolean {
  let isAnimation = false;
  let hasPicture = false;
  for (const { type, payload } of chunks) {
    if (type === 'ANIM') isAnimation = true;
    if (type !== 'ANMF') continue;
    requireThat(isAnimation && payload.length >= FRAME_HEAD_BYTES, 'a broken animation frame');
    const left = 2 * payload.readUIntLE(0, 3);
    const top = 2 * payload.readUIntLE(3, 3);
    for (const chunk of chunksOf(payload.subarray(FRAME_HEAD_BYTES))) {
      const size = pictureSizeOf(chunk.type, chunk.payload);
      if (!size) continue;
      const fits = left + size.width <= canvas.width && top + size.height <= canvas.height;
      requireThat(fits, 'an animation frame outside of the picture');
      hasPicture = true;
    }
  }
  return hasPicture;
}
