import type { Socket } from 'node:net';
import { CutOffError } from './cut-off-error.ts';
import {
  createResponseReader,
  type ReadOptions,
  type ResponseReader,
} from './response/read-response.ts';
import type { ReadResult } from './response/read-result.ts';
import { closedByCamera } from './socket-waits.ts';

/** The response of one call, while it arrives. */
export interface PendingResponse {
  result: Promise<ReadResult>;
  /** Fails the call, whatever its socket does. */
  fail(error: Error): void;
  /** What a call that is not over by its deadline has received. */
  progress(): ResponseReader['progress'];
  /** Releases what the reader holds. */
  close(): void;
}

/** Listens until the socket closes, so that a camera can end only its own call. */
export function receiveResponse(socket: Socket, options: ReadOptions): PendingResponse {
  const { promise: result, resolve, reject } = Promise.withResolvers<ReadResult>();
  // Nothing awaits it before the request is sent.
  result.catch(() => {});
  const reader = createResponseReader(options, resolve);
  const orFail = (read: () => void) => {
    try {
      read();
    } catch (error) {
      reject(error);
    }
  };
  socket.on('data', (piece) => {
    // The guard may have cut the camera off for these bytes.
    if (!socket.destroyed) orFail(() => reader.read(piece));
  });
  // From then on the reader settles the result, perhaps after decompressing the rest.
  let hasEnded = false;
  const end = (isClean: boolean) => {
    hasEnded = true;
    orFail(() => reader.end(isClean));
  };
  socket.on('end', () => end(true));
  socket.on('error', (error) => {
    if (reader.progress === 'body' && !(error instanceof CutOffError)) end(false);
    else reject(error);
  });
  socket.on('close', () => {
    if (!hasEnded) reject(socket.errored ?? closedByCamera());
  });
  return { result, fail: reject, progress: () => reader.progress, close: reader.close };
}
