import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { unsentUpTo } from '../answer/tracked-response.ts';
import type { UnsentAnswers } from '../answer/unsent-answers.ts';
import type { FindHit, Hit } from './find-hit.ts';

/** The connections that only the front has seen yet. */
export interface Front {
  /** From now on all requests are for Node's own server. */
  stop(): void;
  /** Ends its connections as soon as they have their answers, or after the grace. */
  close(graceMs: number): void;
}

export interface FrontOptions {
  findHit: FindHit;
  /** A viewer that sends no request, or takes nothing of an answer, for so long is cut off. */
  stalledMs: number;
  keepAliveMs: number;
  /** Told of what a connection doesn't take at once. */
  unsent?: Pick<UnsentAnswers, 'add'> | undefined;
}

type ConnectionListener = (this: Server, socket: Socket) => void;

/** What one connection may leave unread before no more requests are read from it. */
const PAUSE_AT_BYTES = 256 * 1024;

/**
 * Answers requests for frames in memory right on the connection. Whatever comes that is not one
 * whole, plain request for such a frame goes, untouched, to the listener that the server had for
 * connections, and the connection with it, for good. So Node's server and Hono stay the one
 * reference for every answer, and there is no parser here that could see a request otherwise.
 */
export function putInFront(server: Server, options: FrontOptions): Front {
  const [toNode] = server.listeners('connection') as ConnectionListener[];
  if (!toNode) throw new Error('the server has no listener for connections');
  const sockets = new Set<Socket>();
  let isStopped = false;
  const giveAway = (socket: Socket, chunk: Buffer) => {
    sockets.delete(socket);
    socket.pause();
    socket.unshift(chunk);
    toNode.call(server, socket);
    socket.resume();
  };
  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const findHit: FindHit = (text) => (isStopped ? undefined : options.findHit(text));
    serve(socket, { ...options, findHit, giveAway, tooSlow: () => tellTooSlow(server, socket) });
  });
  return {
    stop: () => {
      isStopped = true;
    },
    close: (graceMs) => {
      for (const socket of sockets) socket.destroySoon();
      setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs).unref();
    },
  };
}

interface ServeOptions extends FrontOptions {
  giveAway: (socket: Socket, chunk: Buffer) => void;
  /** Nothing at all came. */
  tooSlow: () => void;
}

/** One connection, for as long as all that comes is hits. */
function serve(socket: Socket, options: ServeOptions): void {
  const { findHit, stalledMs, keepAliveMs, unsent } = options;
  // Until there is another frame a viewer says the same again: comparing bytes is cheaper than text.
  let last: { chunk: Buffer; text: string } = { chunk: Buffer.alloc(0), text: '' };
  let hasServed = false;
  let idleLooks = 0;
  const onData = (chunk: Buffer) => {
    if (!last.chunk.equals(chunk)) last = { chunk, text: chunk.toString('latin1') };
    const hit = hitOrNone(findHit, last.text);
    if (hit) {
      send(socket, hit, unsent);
      hasServed = true;
      idleLooks = 0;
      return;
    }
    for (const [event, listener] of listeners) socket.off(event, listener);
    socket.setTimeout(0);
    options.giveAway(socket, chunk);
  };
  // Only when nothing was sent or taken for so long, so what is unsent is stalled.
  const onTimeout = () => {
    idleLooks += 1;
    if (!hasServed) options.tooSlow();
    else if (socket.writableLength > 0 || idleLooks * stalledMs >= keepAliveMs) socket.destroy();
    else socket.setTimeout(stalledMs);
  };
  const listeners = [
    ['data', onData],
    ['timeout', onTimeout],
    ['end', () => socket.end()],
    ['error', () => socket.destroy()],
  ] as const;
  for (const [event, listener] of listeners) socket.on(event, listener);
  socket.setTimeout(stalledMs);
}

/** What goes wrong here is for the routes, which have an error boundary. */
function hitOrNone(findHit: FindHit, text: string): Hit | undefined {
  try {
    return findHit(text);
  } catch {
    return undefined;
  }
}

function send(socket: Socket, { head, body }: Hit, unsent: FrontOptions['unsent']): void {
  if (!body) {
    socket.write(head.text, 'latin1');
  } else if (head.withBody) {
    socket.write(head.withBody);
  } else {
    socket.cork();
    socket.write(head.text, 'latin1');
    socket.write(body);
    socket.uncork();
  }
  if (socket.writableLength === 0) return;
  unsent?.add(socket, (body && head.withBody) ?? body ?? head.text, unsentUpTo(socket));
  if (socket.writableLength > PAUSE_AT_BYTES) {
    socket.pause();
    socket.once('drain', () => socket.resume());
  }
}

/** As Node's own server does it. */
function tellTooSlow(server: Server, socket: Socket): void {
  const error = Object.assign(new Error('no request came'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
  server.emit('clientError', error, socket);
}
