import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { unsentUpTo } from '../answer/tracked-response.ts';
import type { UnsentResponses } from '../answer/unsent-responses.ts';
import { type FindHit, type Hit, hitOrNone } from './find-hit.ts';
import { escapeRawTarget } from './raw-target.ts';

/** The connections that the fast path still serves. */
export interface ConnectionFastPath {
  /**
   * Returns whether a request target with raw bytes was handed over. Node's own server, which may
   * get all others, rejects them, so only the first on a connection is served. A client that sends
   * such targets should get another connection for the next one.
   */
  hadRawTarget(socket: Socket): boolean;
  /** Hands all further requests over to Node's own server. */
  stop(): void;
  /** Closes each connection once its responses are sent, at the latest after the grace period. */
  close(graceMs: number): void;
}

export interface FastPathOptions {
  findHit: FindHit;
  /** A client that sends no first request, or reads no response, for this long is disconnected. */
  stalledMs: number;
  keepAliveMs: number;
  /** Tracks what a connection doesn't take at once. */
  unsent?: Pick<UnsentResponses, 'add'> | undefined;
}

type ConnectionListener = (this: Server, socket: Socket) => void;

/** A connection with more unread bytes than this is paused. */
const PAUSE_AT_BYTES = 256 * 1024;

/**
 * Serves frames in memory directly on the connection. Anything but one whole, plain request for one
 * goes to the server's own connection listener, and the connection with it, for good, untouched but
 * for raw bytes in a first target. So Node's server and Hono define every response, and no parser
 * here can disagree with them.
 */
export function installFastPath(server: Server, options: FastPathOptions): ConnectionFastPath {
  const [toNode] = server.listeners('connection') as ConnectionListener[];
  if (!toNode) throw new Error('the server has no listener for connections');
  const sockets = new Set<Socket>();
  let isStopped = false;
  const rawTargets = new WeakSet<Socket>();
  const handOver = (socket: Socket, chunk: Buffer, isFirst: boolean) => {
    sockets.delete(socket);
    socket.pause();
    const readable = isFirst ? escapeRawTarget(chunk) : chunk;
    if (readable !== chunk) rawTargets.add(socket);
    socket.unshift(readable);
    toNode.call(server, socket);
    socket.resume();
  };
  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const findHit: FindHit = (text) => (isStopped ? undefined : options.findHit(text));
    serve(socket, { ...options, findHit, handOver, onTooSlow: () => emitTooSlow(server, socket) });
  });
  return {
    hadRawTarget: (socket) => rawTargets.has(socket),
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

interface ServeOptions extends FastPathOptions {
  /** @param isFirst whether the connection received nothing before */
  handOver: (socket: Socket, chunk: Buffer, isFirst: boolean) => void;
  /** The client has sent nothing at all. */
  onTooSlow: () => void;
}

/** Serves one connection for as long as it sends nothing but hits. */
function serve(socket: Socket, options: ServeOptions): void {
  const { findHit, stalledMs, keepAliveMs, unsent } = options;
  // A client repeats its request until the frame changes; comparing bytes is cheaper than decoding.
  let last: { chunk: Buffer; text: string } = { chunk: Buffer.alloc(0), text: '' };
  let hasServed = false;
  let idleTimeouts = 0;
  const onData = (chunk: Buffer) => {
    if (!last.chunk.equals(chunk)) last = { chunk, text: chunk.toString('latin1') };
    const hit = hitOrNone(findHit, last.text);
    if (hit) {
      send(socket, hit, unsent);
      hasServed = true;
      idleTimeouts = 0;
      return;
    }
    for (const [event, listener] of listeners) socket.off(event, listener);
    socket.setTimeout(0);
    options.handOver(socket, chunk, !hasServed);
  };
  // Nothing was sent or received for `stalledMs`, so unsent bytes are stalled.
  const onTimeout = () => {
    idleTimeouts += 1;
    if (!hasServed) options.onTooSlow();
    else if (socket.writableLength > 0 || idleTimeouts * stalledMs >= keepAliveMs) socket.destroy();
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

function send(socket: Socket, { head, body }: Hit, unsent: FastPathOptions['unsent']): void {
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

/** Reports the timeout as Node's own server does. */
function emitTooSlow(server: Server, socket: Socket): void {
  const error = Object.assign(new Error('no request came'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
  server.emit('clientError', error, socket);
}
