import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The chunks to send on a connection. */
export type Chunks = readonly Buffer[];

/** Target of the last request on each connection: answered if anything is answered at all. */
export const LAST_PATH = '/the-last';
const LAST = Buffer.from(`GET ${LAST_PATH} HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n`);

/** How long to wait; a busy machine needs longer. */
export interface Timing {
  /** Between two chunks, so that each becomes its own segment. */
  gapMs: number;
  quietMs: number;
}

/**
 * Sends each chunk as its own segment, then a last request. Returns all that came back until the
 * server closed. If the server waits for more, hangs up once nothing has come for a while.
 */
export async function exchange(
  port: number,
  chunks: Chunks,
  { gapMs, quietMs }: Timing,
): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  let answer = '';
  socket.on('data', (data) => {
    answer += data.toString('latin1');
  });
  socket.on('error', () => {}); // it may close on a bad request
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

/** Removes what differs between two processes and two moments. */
function comparable(answer: string): string {
  return answer
    .replace(/^(date|age|retry-after|x-served-by): .*$/gim, '$1: …')
    .replace(/ttl=-?\d+/g, 'ttl=…')
    .replace(
      /\xff\xd8[\s\S]*?\xff\xd9/g,
      (jpeg) => `(${createHash('sha1').update(jpeg).digest('hex')})`,
    );
}
