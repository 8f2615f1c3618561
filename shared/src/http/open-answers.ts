import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** More than any browser or proxy asks for before it has the first answer. */
const MAX_OPEN = 8;

/** Answers that have not ended, by their connection: Node parses all requests behind them at once. */
const openOn = new WeakMap<Socket, Set<ServerResponse>>();

/** How many answers are open on a connection. */
export function openAnswers(socket: Socket): number {
  return openOn.get(socket)?.size ?? 0;
}

/**
 * Bounds what one connection may ask for ahead of its answers: each would hold its frame, or its
 * place among those who wait, although nothing of it can be sent.
 */
export function boundOpenAnswers(listener: RequestListener, max = MAX_OPEN): RequestListener {
  return (req, res) => {
    const { socket } = req;
    const open = openOn.get(socket) ?? new Set();
    openOn.set(socket, open);
    open.add(res);
    res.once('close', () => open.delete(res));
    if (open.size > max) socket.destroy();
    // RFC 9112, 9.6: behind the last answer of a connection nothing is answered.
    else if (!hasLastAnswer(open)) listener(req, res);
  };
}

function hasLastAnswer(open: ReadonlySet<ServerResponse>): boolean {
  return [...open].some((res) => res.headersSent && !res.shouldKeepAlive);
}

/**
 * Takes the connection for an answer that never ends by itself.
 * @returns false when other answers are open on it: it would keep them from ever being sent
 */
export function takeConnection(env: {
  incoming?: IncomingMessage;
  outgoing?: ServerResponse;
}): boolean {
  const { incoming, outgoing } = env;
  if (!incoming || !outgoing) return true;
  outgoing.shouldKeepAlive = false;
  return openAnswers(incoming.socket) <= 1;
}
