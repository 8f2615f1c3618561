import type { Socket } from 'node:net';
import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { imageTarget, openSocket, requestAndCount } from './requests.ts';

const READERS = 250;
const OPENED_PER_SECOND = 16;
const READ_BYTES = 1024;
const CAMERAS = 2;

/** Reads large frames that change every second at 1 KB/s, as images and as MJPEG streams. */
export const slowReaders: Attack = ({ apis, camera }, count) => {
  const urls = Array.from({ length: CAMERAS }, (_, n) => `${camera}/public/huge/${n}`);
  const readers = new Set<Socket>();
  let open = 0;
  // Other viewers keep the frames changing.
  runPerSecond(2, (turn) =>
    requestAndCount(itemForTurn(apis, turn >> 1), imageTarget(itemForTurn(urls, turn)), count),
  );
  runPerSecond(OPENED_PER_SECOND, (turn) => {
    if (open >= READERS) return;
    open += 1;
    const path = turn % 3 === 0 ? '/stream' : '/images';
    const target = imageTarget(itemForTurn(urls, turn >> 1)).replace('/images', path);
    const socket = openSlowReader(itemForTurn(apis, turn), target, readers);
    socket.on('close', () => {
      open -= 1;
      readers.delete(socket);
      count('closed');
    });
  });
  runPerSecond(1, () => {
    for (const socket of readers) socket.read(READ_BYTES);
  });
};

function openSlowReader(api: string, target: string, readers: Set<Socket>): Socket {
  const socket = openSocket(api);
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${new URL(api).host}\r\n\r\n`);
  // In paused mode a socket takes no more from the kernel than its own small buffer.
  socket.once('readable', () => readers.add(socket));
  return socket;
}
