import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Source } from '@lastframe/shared/cameras/source';
import { untilEvent } from '../socket-waits.ts';
import { tlsOptionsFor } from './tls-options.ts';
import { limitTlsOverhead } from './tls-overhead.ts';

/** What ended a TLS handshake. */
export class HandshakeError extends Error {
  /** The camera had already sent its certificate. */
  readonly sawCertificate: boolean;

  constructor(cause: Error, sawCertificate: boolean) {
    super(cause.message, { cause });
    this.name = 'HandshakeError';
    this.sawCertificate = sawCertificate;
  }
}

/**
 * Makes the TLS handshake with a source's camera.
 * @param host of the camera's URL: a name, or an address without brackets
 * @throws HandshakeError; the connection is then closed
 */
export async function startTls(
  tcp: Socket,
  source: Source,
  host: string,
  signal: AbortSignal,
): Promise<TLSSocket> {
  try {
    const tls = connect({ ...tlsOptionsFor(source, host), socket: tcp });
    limitTlsOverhead(tcp, tls);
    let sawCertificate = false;
    tls.on('error', (error) => {
      sawCertificate = tls.getPeerX509Certificate() !== undefined;
      // After the handshake, Node only reports it: an alert would be forgotten for the hang-up.
      tls.destroy(error);
    });
    await untilEvent(tls, 'secureConnect', signal).catch((error) => {
      throw new HandshakeError(error, sawCertificate);
    });
    return tls;
  } catch (error) {
    tcp.destroy();
    throw error;
  }
}
