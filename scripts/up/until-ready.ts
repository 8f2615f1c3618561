import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  signal: AbortSignal;
  /** Called with the reason when it takes long, and again when the reason changes. */
  onWaiting: (reason: string) => void;
}

const POLL_EVERY_MS = 50;
const PATIENCE_MS = 8000;
const ANSWER_DEADLINE_MS = 1000;

/** Resolves when a GET answers 200. Rejects only when the signal is aborted. */
export function untilHttpReady(url: string, options: WaitOptions): Promise<void> {
  return untilReady(() => httpDoubt(url), options);
}

/** Resolves when a Redis has loaded its data and answers. */
export function untilRedisReady(port: number, options: WaitOptions): Promise<void> {
  return untilReady(() => redisDoubt(port), options);
}

/** @param doubt why it is not ready; undefined when it is */
async function untilReady(
  doubt: () => Promise<string | undefined>,
  { signal, onWaiting }: WaitOptions,
): Promise<void> {
  const startedMs = performance.now();
  let said = '';
  for (;;) {
    signal.throwIfAborted();
    const reason = await doubt().catch(() => 'it does not answer yet');
    if (reason === undefined) return;
    if (reason !== said && performance.now() - startedMs > PATIENCE_MS) {
      said = reason;
      onWaiting(reason);
    }
    await sleep(POLL_EVERY_MS, undefined, { signal });
  }
}

async function httpDoubt(url: string): Promise<string | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
  const text = await response.text();
  return response.status === 200 ? undefined : text.trim() || `it answers ${response.status}`;
}

async function redisDoubt(port: number): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port, timeout: ANSWER_DEADLINE_MS });
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
