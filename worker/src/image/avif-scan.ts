import { requireAv1 } from './av1-data.ts';
import { type Extent, type PictureData, readMeta } from './avif-meta.ts';
import { BOX_HEAD_BYTES, type Box, boxAt, boxHeadBytes } from './boxes.ts';
import {
  type FormatScan,
  hasBytes,
  ImageFault,
  type Reading,
  requireBytes,
  requireThat,
  type ScanInput,
} from './scan-input.ts';

const BRANDS_AT = 8;
/** Far more than colour profiles need: reading it takes a multiple of its size in memory. */
const MAX_META_BYTES = 1024 ** 2;

/** The brands that a file claims, the major one first. */
export function brandsOf(fileType: Buffer): string[] {
  const brands = fileType.toString('latin1', BRANDS_AT).match(/.{4}/gs) ?? [];
  return brands.filter((_, index) => index !== 1); // the second is a version
}

/** What top-level boxes have told. */
interface AvifState {
  data?: PictureData | undefined;
  hasMovie: boolean;
  hasMedia: boolean;
}

/**
 * Walks the boxes until the data of all pictures is there, wherever it lies. What follows, like
 * padding, belongs to no picture.
 */
export function* scanAvif(input: ScanInput): FormatScan {
  const fileType = yield* nextBox(input, 0);
  requireThat((fileType.end - fileType.start) % 4 === 0, 'a broken file type');
  yield* requireBytes(input, fileType.end);
  const isSequence = brandsOf(input.bytes.subarray(0, fileType.end)).includes('avis');
  const state: AvifState = { hasMovie: false, hasMedia: false };
  let at = fileType.end;
  while (isSequence ? !isWholeSequence(state) : !state.data) {
    const box = yield* nextBox(input, at);
    if (box.type === 'meta') requireThat(box.end - at <= MAX_META_BYTES, 'a huge description');
    const { length } = input.bytes;
    if (length < box.end && box.end < Number.POSITIVE_INFINITY) yield* requireBytes(input, box.end);
    readBox(state, input.bytes, box);
    at = box.end;
  }
  if (isSequence && !(yield* hasBytes(input, at))) return input.bytes.length;
  const end = yield* lastBoxEnd(input, at, state.data?.end ?? 0);
  requirePictures(input.bytes, state.data?.pictures ?? []);
  return end;
}

/** Reads no byte twice, though any number of pictures may be said to be in the same place. */
function requirePictures(bytes: Buffer, pictures: readonly Extent[]): void {
  let readTo = 0;
  for (const { start, end } of pictures.toSorted((a, b) => a.start - b.start)) {
    if (start < readTo) continue;
    requireAv1(bytes.subarray(start, end));
    readTo = end;
  }
}

function isWholeSequence({ hasMovie, hasMedia }: AvifState): boolean {
  return hasMovie && hasMedia;
}

function* nextBox(input: ScanInput, at: number): Reading<Box> {
  if (input.bytes.length < at + BOX_HEAD_BYTES) yield* requireBytes(input, at + BOX_HEAD_BYTES);
  const start = at + boxHeadBytes(input.bytes, at);
  if (input.bytes.length < start) yield* requireBytes(input, start);
  return boxAt(input.bytes, at);
}

function readBox(state: AvifState, bytes: Buffer, { type, start, end }: Box): void {
  if (type === 'moov') {
    const movie = bytes.subarray(start, end);
    requireThat(movie.includes('trak') && movie.includes('av01'), 'a sequence without pictures');
    state.hasMovie = true;
  }
  state.hasMedia ||= type === 'mdat';
  if (type === 'meta') state.data ??= readMeta(bytes.subarray(start, end));
}

/** Returns the end of the box with the last data, or of the data if the boxes don't fit it. */
function* lastBoxEnd(input: ScanInput, start: number, dataEnd: number): Reading<number> {
  let at = start;
  try {
    while (at < dataEnd) at = (yield* nextBox(input, at)).end;
    if (at < Number.POSITIVE_INFINITY) yield* requireBytes(input, at);
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error;
    at = Number.POSITIVE_INFINITY;
  }
  if (at < Number.POSITIVE_INFINITY) return at;
  yield* requireBytes(input, dataEnd);
  return dataEnd;
}
