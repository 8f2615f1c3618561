import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** More than any browser or proxy pipelines. */
const MAX_OPEN = 8;

/** Open responses by connection: Node parses all requests behind them at once. */
const openOn = new WeakMap<Socket, Set<ServerResponse>>();

/** Returns how many responses are open on a connection. */
export function openResponses(socket: Socket): number {
  return openOn.get(socket)?.size ?? 0;
}

/**
 * Limits the requests that one connection may pipeline: each would hold its frame, or its slot
 * among the waiters, although nothing of it can be sent.
 */
export function limitOpenResponses(listener: RequestListener, max = MAX_OPEN): RequestListener {
  return (req, res) => {
    const { socket } = req;
    const open = openOn.get(socket) ?? new Set();
    openOn.set(socket, open);
    open.add(res);
    res.once('close', () => open.delete(res));
    if (open.size > max) socket.destroy();
    // RFC 9112, 9.6: no response may follow the last one of a connection.
    else if (!hasLastResponse(open)) listener(req, res);
  };
}

function hasLastResponse(open: ReadonlySet<ServerResponse>): boolean {
  return [...open].some((res) => res.headersSent && !res.shouldKeepAlive);
}

/**
 * Takes the connection for a response that never ends on its own.
 * @returns false if other responses are open on it: they could then never be sent
 */
export function takeConnection(env: {
  incoming?: IncomingMessage;
  outgoing?: ServerResponse;
}): boolean {
  const { incoming, outgoing } = env;
  if (!incoming || !outgoing) return true;
  outgoing.shouldKeepAlive = false;
  return openResponses(incoming.socket) <= 1;
}
