import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  signal: AbortSignal;
  /** Called with the reason after a long wait, and again when the reason changes. */
  onWaiting: (reason: string) => void;
}

const POLL_EVERY_MS = 50;
const PATIENCE_MS = 8000;
const RESPONSE_TIMEOUT_MS = 1000;

/** Resolves when a GET gets a 200 response. Rejects only when the signal is aborted. */
export function untilHttpReady(url: string, options: WaitOptions): Promise<void> {
  return untilReady(() => httpProblem(url), options);
}

/** Resolves when a Redis has loaded its data and responds. */
export function untilRedisReady(port: number, options: WaitOptions): Promise<void> {
  return untilReady(() => redisProblem(port), options);
}

/** @param whyNotReady returns undefined when it is ready */
async function untilReady(
  whyNotReady: () => Promise<string | undefined>,
  { signal, onWaiting }: WaitOptions,
): Promise<void> {
  const startedMs = performance.now();
  let reportedReason = '';
  for (;;) {
    signal.throwIfAborted();
    const reason = await whyNotReady().catch(() => 'it does not respond yet');
    if (reason === undefined) return;
    if (reason !== reportedReason && performance.now() - startedMs > PATIENCE_MS) {
      reportedReason = reason;
      onWaiting(reason);
    }
    await sleep(POLL_EVERY_MS, undefined, { signal });
  }
}

async function httpProblem(url: string): Promise<string | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS) });
  const text = await response.text();
  return response.status === 200 ? undefined : text.trim() || `it responds with ${response.status}`;
}

async function redisProblem(port: number): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port, timeout: RESPONSE_TIMEOUT_MS });
  socket.on('timeout', () => socket.destroy(new Error('no answer')));
  try {
    socket.write('PING\r\n');
    const [answer] = await once(socket, 'data');
    const text = String(answer).trim();
    return text === '+PONG' ? undefined : text;
  } finally {
    socket.destroy();
  }
}
