import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { UnsentResponses } from './unsent-responses.ts';

/**
 * Returns a response class that tracks what its client did not take at once. All routes, streams
 * and hits behind Node's parser use it.
 */
export function trackedResponse(unsent: Pick<UnsentResponses, 'add'>): typeof ServerResponse {
  return class<Request extends IncomingMessage> extends ServerResponse<Request> {
    override write(chunk: unknown, ...rest: unknown[]): boolean {
      const isTaken = super.write(chunk, ...(rest as []));
      if (this.writableLength > 0) note(this, chunk, unsentOnConnection(this));
      return isTaken;
    }

    override end(...given: unknown[]): this {
      super.end(...(given as []));
      if (this.writableLength > 0) note(this, given[0], () => isOpen(this));
      return this;
    }
  };

  /** @param given a chunk, or a callback in its place */
  function note(res: ServerResponse, given: unknown, isUnsent: () => boolean): void {
    if (typeof given !== 'string' && !(given instanceof Uint8Array)) return;
    if (given.length > 0) unsent.add(res.req.socket, given, isUnsent);
  }
}

const isOpen = (res: ServerResponse) => !res.writableFinished && !res.destroyed;

/** For a chunk of a longer response: all of it is unsent until its response has the connection. */
function unsentOnConnection(res: ServerResponse): () => boolean {
  const { socket } = res;
  return socket ? unsentUpTo(socket) : () => isOpen(res);
}

/** Returns a check for whether anything written to a connection so far is still unsent. */
export function unsentUpTo(socket: Socket): () => boolean {
  const endsAt = socket.bytesWritten;
  return () => socket.writableLength > 0 && socket.bytesWritten - socket.writableLength < endsAt;
}
