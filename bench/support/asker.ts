import { connect, type Socket } from 'node:net';

export interface Answer {
  status: number;
  body: Buffer;
  latencyMs: number;
}

/** Asks one api process for frames, on a few kept connections, one request at a time on each. */
export interface Asker {
  ask(path: string): Promise<Answer>;
  close(): void;
}

interface Waiting {
  path: string;
  sentMs: number;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

/** A client that costs little: the benchmark shares its two cores with what it measures. */
export function createAsker(port: number): Asker {
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  return {
    ask: (path) =>
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
  send(request: Waiting): void;
}

function openConnection(port: number, idle: Connection[], all: Set<Connection>): Connection {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let waiting: Waiting | undefined;
  let chunks: Buffer[] = [];
  const connection: Connection = {
    socket,
    send: (request) => {
      waiting = request;
      socket.write(`GET ${request.path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    },
  };
  all.add(connection);
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    const answer = wholeAnswer(chunks);
    if (!answer || !waiting) return;
    const { resolve, sentMs } = waiting;
    waiting = undefined;
    chunks = [];
    idle.push(connection);
    resolve({ ...answer, latencyMs: performance.now() - sentMs });
  });
  const fail = (error: Error) => {
    all.delete(connection);
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
    waiting?.reject(error);
    waiting = undefined;
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the connection was closed')));
  return connection;
}

/** Undefined as long as bytes are missing. Every answer of the api tells its length. */
function wholeAnswer(chunks: Buffer[]): Omit<Answer, 'latencyMs'> | undefined {
  if (chunks.length > 1) chunks.splice(0, chunks.length, Buffer.concat(chunks));
  const bytes = chunks[0] ?? Buffer.alloc(0);
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const body = bytes.subarray(headEnd + 4);
  return body.length < length ? undefined : { status: Number(head.slice(9, 12)), body };
}
