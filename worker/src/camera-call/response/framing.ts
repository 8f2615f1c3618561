import type { Fields } from '../header-fields.ts';

export type FramingState =
  | 'more'
  /** All bytes that the framing announced have arrived. */
  | 'end'
  | 'invalid';

/** Takes a body out of its framing: a length, chunks, or the end of the connection. */
export interface BodyFraming {
  /** From Content-Length; undefined if that does not say where the body ends. */
  announcedBytes: number | undefined;
  /** Whether the body ends with its connection. */
  endsWithConnection: boolean;
  /** Passes on the bytes of the body among those received. */
  read(piece: Buffer, onBody: (bytes: Buffer) => void): FramingState;
}

/** Returns the framing that a head announces. Chunks take precedence over a length (RFC 9112 6.3). */
export function framingOf(fields: Fields): BodyFraming {
  if (/\bchunked\b/i.test(fields['transfer-encoding'] ?? '')) return chunkedFraming();
  const announcedBytes = lengthOf(fields['content-length']);
  return announcedBytes === undefined ? untilClosed() : lengthFraming(announcedBytes);
}

/** Larger ones are a negative number in disguise, such as 4294967295. */
const MAX_LENGTH_BYTES = 2 ** 31 - 1;

/**
 * Parses a Content-Length, which may be repeated. Lengths that differ or make no sense count as
 * none: the image itself shows where it ends.
 */
function lengthOf(text: string | undefined): number | undefined {
  const lengths = new Set(text?.split(',').map((length) => length.trim()));
  const [length = ''] = lengths;
  if (lengths.size !== 1 || !/^\d+$/.test(length)) return undefined;
  return Number(length) < MAX_LENGTH_BYTES ? Number(length) : undefined;
}

function untilClosed(): BodyFraming {
  return {
    announcedBytes: undefined,
    endsWithConnection: true,
    read: (piece, onBody) => {
      onBody(piece);
      return 'more';
    },
  };
}

/** Passes on what exceeds the length too: some cameras announce less than they send, but not 0. */
function lengthFraming(announcedBytes: number): BodyFraming {
  let leftBytes = announcedBytes;
  return {
    announcedBytes,
    endsWithConnection: false,
    read: (piece, onBody) => {
      // Apart, as a decoder loses what it has decompressed when stray bytes follow in one piece.
      const announced = piece.subarray(0, Math.max(0, leftBytes));
      const excess = piece.subarray(announced.length);
      leftBytes -= piece.length;
      for (const part of announcedBytes > 0 ? [announced, excess] : []) {
        if (part.length > 0) onBody(part);
      }
      return leftBytes > 0 ? 'more' : 'end';
    },
  };
}

const LF = 0x0a;
/** A size with a chunk extension. */
const MAX_SIZE_LINE = 1024;

/**
 * Reads lines with a size, each followed by as many bytes. An empty line is skipped: it ends the
 * bytes before it. The trailers after the last chunk are not read.
 */
function chunkedFraming(): BodyFraming {
  let sizeLine = '';
  let leftBytes = 0;
  const readSize = (piece: Buffer): FramingState => {
    sizeLine += piece.toString('latin1');
    if (!sizeLine.endsWith('\n')) return sizeLine.length > MAX_SIZE_LINE ? 'invalid' : 'more';
    const text = sizeLine.trim();
    sizeLine = '';
    if (text === '') return 'more';
    const [, size] = /^(?:0x)?([\da-f]+)[ \t]*(?:;|$)/i.exec(text) ?? [];
    if (size === undefined) return 'invalid';
    leftBytes = Number.parseInt(size, 16);
    return leftBytes === 0 ? 'end' : 'more';
  };
  return {
    announcedBytes: undefined,
    endsWithConnection: false,
    read: (piece, onBody) => {
      let at = 0;
      while (at < piece.length) {
        const isBody = leftBytes > 0;
        const lineEnd = isBody ? -1 : piece.indexOf(LF, at);
        const end = isBody ? at + leftBytes : lineEnd === -1 ? piece.length : lineEnd + 1;
        const part = piece.subarray(at, end);
        at += part.length;
        if (isBody) {
          leftBytes -= part.length;
          onBody(part);
          continue;
        }
        const state = readSize(part);
        if (state !== 'more') return state;
      }
      return 'more';
    },
  };
}
