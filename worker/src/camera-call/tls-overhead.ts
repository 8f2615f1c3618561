import type { Socket } from 'node:net';
import { CutOffError } from './call-error.ts';

/** The handshake with a long chain of certificates, and some session tickets. */
const FREE_OVERHEAD_BYTES = 256 * 1024;
const LOOK_EVERY_MS = 100;

/**
 * Cuts a camera off whose TLS connection carries next to no data. Session tickets, key updates and
 * hello requests are read by OpenSSL without a word to us, and would cost CPU until the deadline.
 */
export function boundTlsOverhead(tcp: Socket, tls: Socket): void {
  const look = () => {
    const dataBytes = tls.bytesRead;
    const overheadBytes = tcp.bytesRead - dataBytes;
    if (overheadBytes > FREE_OVERHEAD_BYTES + dataBytes) {
      tls.destroy(new CutOffError('WASTEFUL_TLS'));
    }
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  tls.once('close', () => clearInterval(looking));
}
