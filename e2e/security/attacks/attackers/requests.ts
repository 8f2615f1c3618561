import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { CountOutcome } from './attack.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 300 });
/** Longer than a cold request may wait. */
const TIMEOUT_MS = 10_000;

/** Requests a target from an api and counts the status of the response. */
export function requestAndCount(
  api: string,
  target: string,
  count: CountOutcome,
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

/** Sends bytes that no HTTP client would send and counts the status of the response. */
export function sendRaw(api: string, text: string, count: CountOutcome): void {
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

/** Opens a connection and ignores its errors. @param localAddress for limits per client */
export function openSocket(origin: string, localAddress = '127.0.0.1'): Socket {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  socket.on('error', () => socket.destroy());
  return socket;
}

/** Keeps up to `most` connections open and opens at most `rate` per second. */
export function keepOpen(most: number, rate: number, open: () => Socket): void {
  let openCount = 0;
  setInterval(() => {
    if (openCount >= most) return;
    openCount += 1;
    open().on('close', () => {
      openCount -= 1;
    });
  }, 1000 / rate);
}
