import type { Socket } from 'node:net';
import { CutOffError } from '../cut-off-error.ts';

/** Enough for a handshake with a long certificate chain, and some session tickets. */
const FREE_OVERHEAD_BYTES = 256 * 1024;
const CHECK_INTERVAL_MS = 100;

/**
 * Cuts off a camera whose TLS connection carries hardly any data. OpenSSL consumes session tickets,
 * key updates and hello requests silently, which would cost CPU until the deadline.
 */
export function limitTlsOverhead(tcp: Socket, tls: Socket): void {
  const checkOverhead = () => {
    const dataBytes = tls.bytesRead;
    const overheadBytes = tcp.bytesRead - dataBytes;
    if (overheadBytes > FREE_OVERHEAD_BYTES + dataBytes) {
      tls.destroy(new CutOffError('WASTEFUL_TLS'));
    }
  };
  const timer = setInterval(checkOverhead, CHECK_INTERVAL_MS);
  tls.once('close', () => clearInterval(timer));
}
