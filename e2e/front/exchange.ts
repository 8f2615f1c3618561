import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a connection is told, chunk by chunk. */
export type Chunks = readonly Buffer[];

/** Answered in any case where something is answered at all, and the last on its connection. */
export const LAST_PATH = '/the-last';
const LAST = Buffer.from(`GET ${LAST_PATH} HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n`);

/** A busy machine needs more of it. */
export interface Patience {
  /** Between two chunks, so that each is a segment of its own. */
  gapMs: number;
  quietMs: number;
}

/**
 * Sends the chunks as so many segments, then a last request, and gives all that came back until the
 * server closed. Where it waits for more, we hang up once nothing has come for a while.
 */
export async function exchange(
  port: number,
  chunks: Chunks,
  { gapMs, quietMs }: Patience,
): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  let answer = '';
  socket.on('data', (data) => {
    answer += data.toString('latin1');
  });
  socket.on('error', () => {}); // it may close on what it doesn't like
  const closed = once(socket, 'close').catch(() => {});
  socket.on('end', () => socket.end());
  socket.setTimeout(quietMs, () => {
    answer += '\n(it waits)';
    socket.destroy();
  });
  for (const [index, chunk] of [...chunks, LAST].entries()) {
    if (index > 0) await sleep(gapMs);
    if (socket.writable) socket.write(chunk);
  }
  await closed;
  return comparable(answer);
}

/** Without what differs between two processes and two instants. */
function comparable(answer: string): string {
  return answer
    .replace(/^(date|age|x-served-by): .*$/gim, '$1: …')
    .replace(/ttl=-?\d+/g, 'ttl=…')
    .replace(
      /\xff\xd8[\s\S]*?\xff\xd9/g,
      (jpeg) => `(${createHash('sha1').update(jpeg).digest('hex')})`,
    );
}
