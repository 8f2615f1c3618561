import { connect, type Socket } from 'node:net';

export interface FrameResponse {
  status: number;
  body: Buffer;
  latencyMs: number;
}

/** Requests frames from one api process over keep-alive connections, one request at a time each. */
export interface FrameClient {
  get(path: string): Promise<FrameResponse>;
  close(): void;
}

interface PendingRequest {
  path: string;
  sentMs: number;
  resolve: (answer: FrameResponse) => void;
  reject: (error: Error) => void;
}

/** Creates a cheap client, because the benchmark shares its two cores with the fleet. */
export function createFrameClient(port: number): FrameClient {
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        const connection = idle.pop() ?? openConnection(port, idle, all);
        connection.send({ path, sentMs: performance.now(), resolve, reject });
      }),
    close: () => {
      for (const { socket } of all) socket.destroy();
    },
  };
}

interface Connection {
  socket: Socket;
  send(request: PendingRequest): void;
}

function openConnection(port: number, idle: Connection[], all: Set<Connection>): Connection {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let pending: PendingRequest | undefined;
  let chunks: Buffer[] = [];
  const connection: Connection = {
    socket,
    send: (request) => {
      pending = request;
      socket.write(`GET ${request.path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    },
  };
  all.add(connection);
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    const answer = wholeAnswer(chunks);
    if (!answer || !pending) return;
    const { resolve, sentMs } = pending;
    pending = undefined;
    chunks = [];
    idle.push(connection);
    resolve({ ...answer, latencyMs: performance.now() - sentMs });
  });
  const fail = (error: Error) => {
    all.delete(connection);
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
    pending?.reject(error);
    pending = undefined;
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the connection was closed')));
  return connection;
}

/** Returns undefined while bytes are missing. Every response of the api has a Content-Length. */
function wholeAnswer(chunks: Buffer[]): Omit<FrameResponse, 'latencyMs'> | undefined {
  if (chunks.length > 1) chunks.splice(0, chunks.length, Buffer.concat(chunks));
  const bytes = chunks[0] ?? Buffer.alloc(0);
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const body = bytes.subarray(headEnd + 4);
  return body.length < length ? undefined : { status: Number(head.slice(9, 12)), body };
}
