import type { Socket } from 'node:net';
import { type CutOffCode, CutOffError } from './call-error.ts';

/** Watches what a camera sends on one connection, and cuts it off when no camera would send that. */
export interface AnswerGuard {
  /** The request is about to be sent: from now on the camera may speak. */
  open(): void;
  /** A 1xx response came. */
  countInformational(): void;
  /** A piece of the body came out of the HTTP parser. */
  countBody(bytes: number): void;
}

/** A camera may send a hint or two before its answer. */
const MAX_INFORMATIONAL = 8;
/** Pieces are reads from the socket and HTTP chunks; each costs the same, however few bytes it has. */
const FREE_PIECES = 4096;
const LEAST_BYTES_PER_PIECE = 64;
/** Heads and the framing of small bodies; beyond that, framing may be as large as the body. */
const FREE_OVERHEAD_BYTES = 256 * 1024;

/**
 * The parser bounds the size of a head, and the reader that of a body. What is left to bound is what
 * never becomes either: bytes before the request, endless 1xx responses, padding that the parser
 * skips, and bodies in one-byte chunks, all of which would cost CPU until the deadline.
 */
export function guardAnswer(socket: Socket): AnswerGuard {
  let isOpen = false;
  let informational = 0;
  let pieces = 0;
  let wireBytes = 0;
  let bodyBytes = 0;
  // The parser still reads to the end of the bytes that have come: an error for each piece of them
  // would cost more than they do.
  const cutOff = (code: CutOffCode) => {
    if (!socket.destroyed) socket.destroy(new CutOffError(code));
  };
  const countPiece = () => {
    pieces += 1;
    const isCrumbled = pieces > FREE_PIECES + wireBytes / LEAST_BYTES_PER_PIECE;
    if (isCrumbled || wireBytes > FREE_OVERHEAD_BYTES + 2 * bodyBytes) cutOff('WASTEFUL_ANSWER');
  };
  socket.on('data', (bytes) => {
    wireBytes += bytes.length;
    if (isOpen) countPiece();
    else cutOff('EARLY_DATA');
  });
  return {
    open: () => {
      isOpen = true;
    },
    countInformational: () => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL) cutOff('TOO_MANY_1XX');
    },
    countBody: (bytes) => {
      bodyBytes += bytes;
      countPiece();
    },
  };
}
