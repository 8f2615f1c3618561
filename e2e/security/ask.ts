import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawResponse {
  /** 0 when the connection was closed without a response. */
  status: number;
  head: string;
  body: string;
}

/** Sends one request byte for byte; no HTTP client corrects it. */
export async function sendRawRequest(
  origin: string,
  target: string,
  headers: readonly string[] = [],
): Promise<RawResponse> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const fields = ['Host: lastframe.test', 'Connection: close', ...headers];
  socket.write(Buffer.from(`GET ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`, 'utf8'));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  await once(socket, 'close');
  const text = Buffer.concat(chunks).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const body = end < 0 ? '' : text.slice(end + 4);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body };
}
