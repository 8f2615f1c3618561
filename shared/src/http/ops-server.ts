import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { limitOpenResponses } from './open-responses.ts';

/** As on the public port: clients that send slowly or do not read are disconnected. */
const OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 32 * 1024,
};
const STALLED_MS = 10_000;
/** Probes, Prometheus and an operator's browser need a dozen. */
const MAX_CONNECTIONS = 200;
/** No legitimate client pipelines more here. */
const MAX_OPEN_RESPONSES = 2;

/**
 * Creates the server of the ops port. It serves the next probe however many connections are open:
 * at the limit it closes the one that has been idle longest instead of rejecting the new one.
 */
export function createOpsServer(listener: RequestListener, max = MAX_CONNECTIONS): Server {
  const waiting = new Set<Socket>();
  const busy = new Map<Socket, number>();
  const server = createServer(OPTIONS, limitOpenResponses(listener, MAX_OPEN_RESPONSES));
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
  // Before the listener, which may respond at once.
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
