import type { Socket } from 'node:net';
import { type CutOffCode, CutOffError } from '../cut-off-error.ts';

/** Watches one connection, and cuts off a camera that wastes CPU. */
export interface ResponseGuard {
  /** Lets the camera send: the request is about to leave. */
  allowData(): void;
  /** Counts a piece of the body, out of its framing. */
  countBody(bytes: number): void;
}

/** A piece is a read from the socket or an HTTP chunk; each costs the same, however small. */
const FREE_PIECES = 4096;
const MIN_BYTES_PER_PIECE = 64;
/** For heads and the framing of small bodies; beyond that, framing may be as large as the body. */
const FREE_OVERHEAD_BYTES = 256 * 1024;

/**
 * Bounds bytes before the request, padding that the reader skips, and bodies in one-byte chunks.
 * These would cost CPU until the deadline. The reader itself bounds heads and bodies.
 */
export function guardResponse(socket: Socket): ResponseGuard {
  let isOpen = false;
  let pieces = 0;
  let wireBytes = 0;
  let bodyBytes = 0;
  // The parser still consumes the bytes already received. An error for each piece would cost more
  // than the piece.
  const cutOff = (code: CutOffCode) => {
    if (!socket.destroyed) socket.destroy(new CutOffError(code));
  };
  const countPiece = () => {
    pieces += 1;
    const isFragmented = pieces > FREE_PIECES + wireBytes / MIN_BYTES_PER_PIECE;
    if (isFragmented || wireBytes > FREE_OVERHEAD_BYTES + 2 * bodyBytes)
      cutOff('WASTEFUL_RESPONSE');
  };
  socket.on('data', (bytes) => {
    wireBytes += bytes.length;
    if (isOpen) countPiece();
    else cutOff('EARLY_DATA');
  });
  return {
    allowData: () => {
      isOpen = true;
    },
    countBody: (bytes) => {
      bodyBytes += bytes;
      countPiece();
    },
  };
}
