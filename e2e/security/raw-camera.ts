import { createServer, type Socket } from 'node:net';
import { startServer } from '../../testing/running-server.ts';

type Answer = Buffer | ((socket: Socket) => void);

/** A camera that sends prepared responses byte for byte and records its requests. */
export interface RawCamera {
  port: number;
  url: string;
  /** Each request as received, by path without the query. */
  readonly requests: ReadonlyMap<string, string>;
  respondWith(path: string, answer: Answer): string;
  close(): Promise<void>;
}

export async function startRawCamera(host = '127.0.0.1'): Promise<RawCamera> {
  const answers = new Map<string, Answer>();
  const received = new Map<string, string>();
  const server = createServer((socket) => {
    let request = '';
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
      if (!request.includes('\r\n\r\n')) return;
      const path = /^\S+ ([^ ?]*)/.exec(request)?.[1] ?? '';
      received.set(path, request);
      const answer = answers.get(path);
      if (typeof answer === 'function') answer(socket);
      else socket.end(answer ?? httpResponse('', ['X-Unknown: 1'], '404 Not Found'));
    });
  });
  const { port, close } = await startServer(server, { host });
  const url = `http://${host}:${port}`;
  return {
    port,
    url,
    requests: received,
    respondWith: (path, answer) => {
      answers.set(path, answer);
      return url + path;
    },
    close,
  };
}

/** Returns a complete response with a Content-Length. */
export function httpResponse(
  body: Buffer | string,
  headers: readonly string[] = [],
  status = '200 OK',
): Buffer {
  const bytes = Buffer.from(body as string);
  const head = [`HTTP/1.1 ${status}`, `Content-Length: ${bytes.length}`, ...headers];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}
