import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { expect, onTestFinished } from 'vitest';
import { startServer } from '../../../testing/running-server.ts';

/** A camera that a test scripts byte by byte. */
export interface CameraServer {
  port: number;
  /** Connections so far. */
  readonly connections: number;
  /** All bytes received so far, over all connections. */
  readonly received: string;
  /** Waits until the worker has closed every connection. */
  allClosed(): Promise<void>;
  /** Makes a round trip on its own connection: everything sent before has then arrived. */
  roundTrip(): Promise<void>;
}

const PROBE = 'PROBE';

/** Calls `answer` with each connection on which a whole request head has arrived. */
export async function startCamera(
  answer: (socket: Socket) => void,
  tls?: TlsOptions,
): Promise<CameraServer> {
  let connections = 0;
  let received = '';
  const serve = (socket: Socket) => {
    connections += 1;
    let head = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (bytes.toString() === PROBE) {
        connections -= 1;
        socket.write(PROBE);
        return;
      }
      received += bytes;
      head += bytes;
      if (head.endsWith('\r\n\r\n')) answer(socket);
    });
  };
  const { port, allClosed } = await serveTest(
    tls ? createTlsServer(tls, serve) : createServer(serve),
  );
  return {
    port,
    get connections() {
      return connections;
    },
    get received() {
      return received;
    },
    allClosed,
    roundTrip: async () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(PROBE);
      await once(socket, 'data');
      socket.destroy();
    },
  };
}

/** Starts a camera's server until the test ends. */
export async function serveTest(server: Server): Promise<Pick<CameraServer, 'port' | 'allClosed'>> {
  const { port, open, close } = await startServer(server);
  onTestFinished(close);
  return { port, allClosed: () => expect.poll(() => open.size, { timeout: 20_000 }).toBe(0) };
}

/** Returns an HTTP message with CRLFs. */
export function message(head: readonly string[], body: string | Buffer = ''): Buffer {
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(body)]);
}

/** Returns a good response. */
export function ok(body: Buffer, ...headers: string[]): Buffer {
  return message(['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...headers], body);
}
