import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { UpstreamCall } from '../../../../testing/checks/checker.ts';

/** One request that reached a hostile camera. */
export interface HostileCall extends UpstreamCall {
  hasCredentials: boolean;
}

/** The most bytes kept of a request with an incomplete head. */
const MAX_HEAD = 64 * 1024;

/** Adds a connection's request to `calls` once its head is complete, whatever the response. */
export function recordRequest(
  socket: Socket,
  calls: HostileCall[],
  answer: (socket: Socket, path: string) => void = () => {},
): void {
  const origin = `${socket instanceof TLSSocket ? 'https' : 'http'}://127.0.0.1:${socket.localPort}`;
  let head = '';
  const readHead = (chunk: Buffer) => {
    head += chunk.toString('latin1');
    const isComplete = head.includes('\r\n\r\n');
    if (isComplete || head.length > MAX_HEAD) socket.off('data', readHead).resume();
    if (!isComplete) return;
    const [, name = '/'] = /^\S+ (\S+)/.exec(head) ?? [];
    const startMs = performance.now();
    calls.push({
      number: calls.length + 1,
      url: origin + name,
      name,
      startMs,
      // A camera cannot see when a worker drops a hostile connection, so only starts count.
      endMs: startMs,
      status: null,
      hasCredentials: /\r\nauthorization:/i.test(head),
    });
    answer(socket, name);
  };
  socket.on('error', () => socket.destroy()).on('data', readHead);
}
