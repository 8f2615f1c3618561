import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { boundOpenAnswers } from './open-answers.ts';

/** As on the public port: whoever sends a request slowly is cut off, and so is who doesn't read. */
const OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 32 * 1024,
};
const STALLED_MS = 10_000;
/** Probes, Prometheus and an operator's browser need a dozen. */
const MAX_CONNECTIONS = 200;
/** Nobody asks here for more before the first answer is read. */
const MAX_OPEN_ANSWERS = 2;

/**
 * The server of the ops port. However many connections hang on it, the next probe is answered:
 * beyond the bound the one that has waited longest without a request is closed, not the new one
 * turned away.
 */
export function createOpsServer(listener: RequestListener, max = MAX_CONNECTIONS): Server {
  const waiting = new Set<Socket>();
  const busy = new Map<Socket, number>();
  const server = createServer(OPTIONS, boundOpenAnswers(listener, MAX_OPEN_ANSWERS));
  server.timeout = STALLED_MS;
  server.on('connection', (socket) => {
    waiting.add(socket);
    socket.once('close', () => {
      waiting.delete(socket);
      busy.delete(socket);
    });
    const [longest] = waiting;
    if (waiting.size + busy.size > max) (longest ?? socket).destroy();
  });
  // Before the listener, which may answer at once.
  server.prependListener('request', ({ socket }, res) => {
    waiting.delete(socket);
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    res.once('close', () => {
      const left = (busy.get(socket) ?? 1) - 1;
      if (left > 0) busy.set(socket, left);
      else {
        busy.delete(socket);
        if (!socket.destroyed) waiting.add(socket);
      }
    });
  });
  return server;
}
