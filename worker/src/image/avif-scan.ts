import { pictureDataEnd } from './avif-meta.ts';
import { BOX_HEAD_BYTES, type Box, boxAt, boxHeadBytes } from './boxes.ts';
import {
  type FormatScan,
  type Reading,
  require,
  requireBytes,
  type ScanInput,
} from './scan-input.ts';

const BRANDS_AT = 8;

/** The brands that a file claims, the major one first. */
export function brandsOf(fileType: Buffer): string[] {
  const brands = fileType.toString('latin1', BRANDS_AT).match(/.{4}/gs) ?? [];
  return brands.filter((_, index) => index !== 1); // the second is a version
}

/** What top-level boxes have told. */
interface AvifState {
  hasMeta: boolean;
  hasMovie: boolean;
  hasMedia: boolean;
  /** The data of all items lies before. */
  dataEnd: number;
}

/**
 * Walks the boxes until the data of all pictures is there, wherever it lies. What follows, like
 * padding, belongs to no picture.
 */
export function* scanAvif(input: ScanInput): FormatScan {
  const fileType = yield* nextBox(input, 0);
  require((fileType.end - fileType.start) % 4 === 0, 'a broken file type');
  yield* requireBytes(input, fileType.end);
  const isSequence = brandsOf(input.bytes.subarray(0, fileType.end)).includes('avis');
  const state: AvifState = { hasMeta: false, hasMovie: false, hasMedia: false, dataEnd: 0 };
  let at = fileType.end;
  while (isSequence ? !isWholeSequence(state) : !state.hasMeta) {
    const box = yield* nextBox(input, at);
    if (box.end < Number.POSITIVE_INFINITY) yield* requireBytes(input, box.end);
    readBox(state, input.bytes, box);
    at = box.end;
  }
  return yield* lastBoxEnd(input, at, state.dataEnd);
}

function isWholeSequence({ hasMovie, hasMedia }: AvifState): boolean {
  return hasMovie && hasMedia;
}

function* nextBox(input: ScanInput, at: number): Reading<Box> {
  yield* requireBytes(input, at + BOX_HEAD_BYTES);
  yield* requireBytes(input, at + boxHeadBytes(input.bytes, at));
  return boxAt(input.bytes, at);
}

function readBox(state: AvifState, bytes: Buffer, { type, start, end }: Box): void {
  state.hasMovie ||= type === 'moov';
  state.hasMedia ||= type === 'mdat';
  if (type !== 'meta' || state.hasMeta) return;
  state.dataEnd = pictureDataEnd(bytes.subarray(start, end));
  state.hasMeta = true;
}

/** Returns the end of the box with the last data, or of the data if the boxes don't fit it. */
function* lastBoxEnd(input: ScanInput, start: number, dataEnd: number): Reading<number> {
  let at = start;
  try {
    while (at < dataEnd) at = (yield* nextBox(input, at)).end;
    if (at < Number.POSITIVE_INFINITY) yield* requireBytes(input, at);
  } catch {
    at = Number.POSITIVE_INFINITY;
  }
  if (at < Number.POSITIVE_INFINITY) return at;
  yield* requireBytes(input, dataEnd);
  return dataEnd;
}
