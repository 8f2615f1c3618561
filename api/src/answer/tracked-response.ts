import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { UnsentAnswers } from './unsent-answers.ts';

/**
 * A response of Node's server that notes what its client didn't take at once. All routes, streams
 * and hits behind Node's parser end here, so nothing gets past it.
 */
export function trackedResponse(unsent: Pick<UnsentAnswers, 'add'>): typeof ServerResponse {
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

  /** @param given a chunk, or in its place a callback */
  function note(res: ServerResponse, given: unknown, isUnsent: () => boolean): void {
    if (typeof given !== 'string' && !(given instanceof Uint8Array)) return;
    if (given.length > 0) unsent.add(res.req.socket, given, isUnsent);
  }
}

const isOpen = (res: ServerResponse) => !res.writableFinished && !res.destroyed;

/** A part of an answer that goes on; until its turn on the connection comes, all of it is unsent. */
function unsentOnConnection(res: ServerResponse): () => boolean {
  const { socket } = res;
  return socket ? unsentUpTo(socket) : () => isOpen(res);
}

/** Whether what a connection has been given up to now is still unsent. */
export function unsentUpTo(socket: Socket): () => boolean {
  const endsAt = socket.bytesWritten;
  return () => socket.writableLength > 0 && socket.bytesWritten - socket.writableLength < endsAt;
}
