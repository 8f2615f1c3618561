import type { Socket } from 'node:net';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import { guardResponse, type ResponseGuard } from '../response/response-guard.ts';
import { closedByCamera, unlessAborted, untilDataIsRead } from '../socket-waits.ts';
import { startTls } from '../tls/start-tls.ts';
import { allowedAddresses } from './address-guard.ts';
import type { ConnectSteps } from './connect-steps.ts';
import { type Endpoint, endpointOf } from './endpoint.ts';
import { openTcp } from './open-tcp.ts';
import { connectThroughProxy } from './proxy.ts';

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
  const { source } = camera;
  const endpoint = endpointOf(new URL(camera.url));
  const tcp = source.proxy
    ? await connectThroughProxy(source.proxy, endpoint, source, { signal, steps })
    : await connectDirectly(endpoint, source, { signal, steps });
  if (endpoint.isTls) steps.begin('tls');
  const socket = endpoint.isTls ? await startTls(tcp, source, endpoint.host, signal) : tcp;
  const guard = guardResponse(socket);
  await untilDataIsRead();
  assertOpen(socket);
  return { socket, guard };
}

async function connectDirectly(
  endpoint: Endpoint,
  source: Source,
  { signal, steps }: { signal: AbortSignal; steps: Pick<ConnectSteps, 'begin'> },
): Promise<Socket> {
  steps.begin('lookup');
  const addresses = await unlessAborted(allowedAddresses(endpoint.host, source.networks), signal);
  steps.begin('tcp');
  return await openTcp(endpoint, addresses, source, signal);
}

/** @throws what ended the connection, such as a camera that hung up or sent data too early */
export function assertOpen(socket: Socket): void {
  if (!socket.destroyed && !socket.readableEnded) return;
  socket.destroy();
  throw socket.errored ?? closedByCamera();
}
