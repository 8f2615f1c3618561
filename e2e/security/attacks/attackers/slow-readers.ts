import type { Socket } from 'node:net';
import { type Attack, nth, perSecond } from './attack.ts';
import { ask, imageTarget, openSocket } from './requests.ts';

const READERS = 250;
const OPENED_PER_SECOND = 16;
const READ_BYTES = 1024;
const CAMERAS = 2;

/** Reads large frames, which change each second, at 1 KB/s: as images and as MJPEG streams. */
export const slowReaders: Attack = ({ apis, camera }, count) => {
  const urls = Array.from({ length: CAMERAS }, (_, n) => `${camera}/public/huge/${n}`);
  const waiting = new Set<Socket>();
  let open = 0;
  // Other viewers keep the frames changing.
  perSecond(2, (turn) => ask(nth(apis, turn >> 1), imageTarget(nth(urls, turn)), count));
  perSecond(OPENED_PER_SECOND, (turn) => {
    if (open >= READERS) return;
    open += 1;
    const path = turn % 3 === 0 ? '/stream' : '/images';
    const target = imageTarget(nth(urls, turn >> 1)).replace('/images', path);
    const socket = openSlowly(nth(apis, turn), target, waiting);
    socket.on('close', () => {
      open -= 1;
      waiting.delete(socket);
      count('closed');
    });
  });
  perSecond(1, () => {
    for (const socket of waiting) socket.read(READ_BYTES);
  });
};

function openSlowly(api: string, target: string, waiting: Set<Socket>): Socket {
  const socket = openSocket(api);
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${new URL(api).host}\r\n\r\n`);
  // In paused mode a socket takes no more from the kernel than its own small buffer.
  socket.once('readable', () => waiting.add(socket));
  return socket;
}
