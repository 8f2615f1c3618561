import type { Socket } from 'node:net';
import type { UpstreamCall } from '../../../../testing/checks/checker.ts';

/** One request that reached a hostile camera. */
export interface HostileCall extends UpstreamCall {
  hasCredentials: boolean;
}

/** The most bytes kept of a request with an incomplete head. */
const MAX_HEAD = 64 * 1024;

/** Records every request that reaches a hostile camera, whatever the response. */
export function createRequestLog() {
  const calls: HostileCall[] = [];
  const record = (head: string, origin: string): string => {
    const [, path = '/'] = /^\S+ (\S+)/.exec(head) ?? [];
    const startMs = performance.now();
    calls.push({
      number: calls.length + 1,
      url: origin + path,
      name: path,
      startMs,
      // A camera cannot see when a worker drops a hostile connection, so only starts count.
      endMs: startMs,
      status: null,
      hasCredentials: /\r\nauthorization:/i.test(head),
    });
    return path;
  };
  return {
    calls,
    /** Calls `answer` with the path once the head of the request is complete. */
    listen: (socket: Socket, origin: string, answer: (path: string) => void) => {
      let head = '';
      let isComplete = false;
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        if (isComplete || head.length > MAX_HEAD) return;
        head += chunk.toString('latin1');
        isComplete = head.includes('\r\n\r\n');
        if (isComplete) answer(record(head, origin));
      });
    },
  };
}
