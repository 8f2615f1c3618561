import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import { allowedAddresses } from './address-guard.ts';
import { HandshakeError } from './call-error.ts';
import type { ConnectSteps } from './connect-steps.ts';
import { closedByCamera, openTcp, unlessAborted, untilEvent } from './open-tcp.ts';
import { connectThroughProxy } from './proxy.ts';
import { guardResponse, type ResponseGuard } from './response/response-guard.ts';
import { tlsOptionsFor } from './tls-options.ts';
import { limitTlsOverhead } from './tls-overhead.ts';

export interface Connection {
  socket: Socket;
  guard: ResponseGuard;
}

/**
 * Connects to the camera's host, TLS included, and sends no request yet.
 * @throws AddressRefusedError, ProxyError, HandshakeError, an error of the resolver or the socket, or the
 * signal's reason
 */
export async function connectToCamera(
  camera: Camera,
  signal: AbortSignal,
  steps: Pick<ConnectSteps, 'begin'>,
): Promise<Connection> {
  // Before the lookup starts: its rejection would go unhandled.
  signal.throwIfAborted();
  const url = new URL(camera.url);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isTls = url.protocol === 'https:';
  const target = { host, port: Number(url.port) || (isTls ? 443 : 80), isTls };
  const { proxy } = camera.source;
  const tcp = proxy
    ? await connectThroughProxy(proxy, target, camera.source, { signal, steps })
    : await connectDirectly(target, camera.source, { signal, steps });
  if (isTls) steps.begin('tls');
  const socket = isTls ? await startTls(tcp, camera, host, signal) : tcp;
  const guard = guardResponse(socket);
  await untilDataIsRead();
  assertOpen(socket);
  return { socket, guard };
}

async function connectDirectly(
  target: { host: string; port: number },
  source: Source,
  { signal, steps }: { signal: AbortSignal; steps: Pick<ConnectSteps, 'begin'> },
): Promise<Socket> {
  steps.begin('lookup');
  const addresses = await unlessAborted(allowedAddresses(target.host, source.networks), signal);
  steps.begin('tcp');
  return await openTcp(target, addresses, source, signal);
}

/** @throws what ended the connection, such as a camera that hung up or sent data too early */
export function assertOpen(socket: Socket): void {
  if (!socket.destroyed && !socket.readableEnded) return;
  socket.destroy();
  throw socket.errored ?? closedByCamera();
}

/**
 * Waits until data that has already arrived is read. The first turn may begin after the
 * event loop has polled the socket; the second polls it.
 */
async function untilDataIsRead(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

async function startTls(
  tcp: Socket,
  camera: Camera,
  host: string,
  signal: AbortSignal,
): Promise<TLSSocket> {
  try {
    const tls = connectTls({ ...tlsOptionsFor(camera.source, host), socket: tcp });
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
