import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Count } from './attack.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 300 });
/** Longer than a cold request may wait. */
const TIMEOUT_MS = 10_000;

/** Asks an api for a target and counts the status of the answer. */
export function ask(
  api: string,
  target: string,
  count: Count,
  headers: Record<string, string> = {},
): Promise<void> {
  return new Promise((resolve) => {
    const done = (outcome: string) => {
      count(outcome);
      resolve();
    };
    try {
      const req = get(api + target, { agent, headers, timeout: TIMEOUT_MS }, (res) => {
        res.resume();
        res.on('close', () => done(String(res.statusCode)));
        res.on('error', () => {});
      });
      req.on('timeout', () => req.destroy(new Error('timeout')));
      req.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    } catch (error) {
      done(error instanceof Error ? error.message : 'failed');
    }
  });
}

export function imageTarget(cameraUrl: string): string {
  return `/images?url=${encodeURIComponent(cameraUrl)}`;
}

/** Sends bytes that no HTTP client would send and counts the status that comes back. */
export function sendRaw(api: string, text: string, count: Count): void {
  const socket = openSocket(api);
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
  socket.write(text, 'latin1');
  let answer = '';
  socket.on('data', (chunk) => {
    if (answer.length < 12) answer += chunk.toString('latin1');
    socket.end();
  });
  socket.on('close', () => count(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'no answer'));
}

/** A connection whose end is nobody's error. @param localAddress the client's, for bounds per client */
export function openSocket(origin: string, localAddress = '127.0.0.1'): Socket {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  socket.on('error', () => socket.destroy());
  return socket;
}

/** Keeps so many connections open, and opens new ones for those that end, at most `perSecond`. */
export function keepOpen(most: number, rate: number, open: () => Socket): void {
  let isOpen = 0;
  setInterval(() => {
    if (isOpen >= most) return;
    isOpen += 1;
    open().on('close', () => {
      isOpen -= 1;
    });
  }, 1000 / rate);
}
