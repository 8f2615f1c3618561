import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FindHit, Hit } from './hit.ts';

/** The connections that nobody but the front has seen yet. */
export interface Front {
  /** From now on every request goes to Node's own server. */
  stop(): void;
  /** Ends the connections that wait for nothing, and, after the grace, those that don't take their answer. */
  close(graceMs: number): void;
}

export interface FrontOptions {
  findHit: FindHit;
  onServed?: (served: Hit) => void;
  /** A viewer that sends or takes nothing for so long is cut off. */
  stalledMs: number;
  keepAliveMs: number;
}

/** What one connection may leave unread before no more of its requests are read. */
const MAX_UNSENT_BYTES = 256 * 1024;

type ConnectionListener = (this: Server, socket: Socket) => void;

/**
 * Answers plain hits right on the socket. A chunk that is anything else goes, untouched and with its
 * connection, to the listener that Node's server had for connections.
 */
export function putInFront(server: Server, options: FrontOptions): Front {
  const [toNode] = server.listeners('connection') as ConnectionListener[];
  if (!toNode) throw new Error('this server has no listener for connections');
  server.removeAllListeners('connection');
  const sockets = new Set<Socket>();
  let stopped = false;
  server.on('connection', (socket: Socket) => {
    if (stopped) toNode.call(server, socket);
    else
      watch(
        socket,
        sockets,
        options,
        { isStopped: () => stopped, toNode: (s) => toNode.call(server, s) },
        server,
      );
  });
  return {
    stop: () => {
      stopped = true;
    },
    close: (graceMs) => {
      for (const socket of sockets) socket.end();
      setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs).unref();
    },
  };
}

function watch(
  socket: Socket,
  sockets: Set<Socket>,
  options: FrontOptions,
  node: { isStopped: () => boolean; toNode: (s: Socket) => void },
  server: Server,
): void {
  const { findHit, onServed, stalledMs, keepAliveMs } = options;
  let idleLooks = 0;
  let hasServed = false;
  const onData = (chunk: Buffer) => {
    const hit = node.isStopped() ? undefined : findHit(chunk);
    if (!hit) return handOver(chunk);
    idleLooks = 0;
    hasServed = true;
    send(socket, hit);
    onServed?.(hit);
  };
  const onTimeout = () => {
    idleLooks += 1;
    if (socket.writableLength > 0 || idleLooks * stalledMs > keepAliveMs) socket.destroy();
    else if (hasServed) socket.setTimeout(stalledMs);
    else
      server.emit(
        'clientError',
        Object.assign(new Error('no request came'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
        socket,
      );
  };
  const onEnd = () => socket.end();
  const onError = () => socket.destroy();
  const onClose = () => sockets.delete(socket);
  const handOver = (chunk: Buffer) => {
    socket
      .off('data', onData)
      .off('timeout', onTimeout)
      .off('end', onEnd)
      .off('error', onError)
      .off('close', onClose);
    sockets.delete(socket);
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(chunk);
    node.toNode(socket);
    socket.resume();
  };
  sockets.add(socket);
  socket.setTimeout(stalledMs);
  socket
    .on('data', onData)
    .on('timeout', onTimeout)
    .on('end', onEnd)
    .on('error', onError)
    .on('close', onClose);
}

function send(socket: Socket, { head, body }: Hit): void {
  if (!body) {
    socket.write(head.text, 'latin1');
  } else {
    socket.cork();
    socket.write(head.text, 'latin1');
    socket.write(body);
    socket.uncork();
  }
  if (socket.writableLength > MAX_UNSENT_BYTES) {
    socket.pause();
    socket.once('drain', () => socket.resume());
  }
}
