import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { type Address, allowedAddresses } from './address-guard.ts';
import { guardResponse, type ResponseGuard } from './response/response-guard.ts';
import { limitTlsOverhead } from './tls-overhead.ts';

export interface Connection {
  socket: Socket;
  guard: ResponseGuard;
}

export const CONNECTION_CLOSED = 'the camera closed the connection';

/**
 * Connects to the camera's host, TLS included, and sends no request yet.
 * @throws AddressRefusedError, an error of the resolver or the socket, or the signal's reason
 */
export async function connectToCamera(camera: Camera, signal: AbortSignal): Promise<Connection> {
  // Before the lookup starts: its rejection would go unhandled.
  signal.throwIfAborted();
  const url = new URL(camera.url);
  const addresses = await unlessAborted(
    allowedAddresses(url.hostname, camera.source.networks),
    signal,
  );
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isTls = url.protocol === 'https:';
  const tcp = connectTcp({
    host,
    port: Number(url.port) || (isTls ? 443 : 80),
    lookup: lookupAmong(addresses),
    autoSelectFamily: true,
    noDelay: true,
  });
  await untilConnected(tcp, 'connect', signal);
  const servername = addresses[0]?.address === host ? '' : host;
  const socket = isTls ? startTls(tcp, camera, { host, servername }) : tcp;
  if (isTls) await untilConnected(socket, 'secureConnect', signal);
  const guard = guardResponse(socket);
  await untilDataIsRead();
  assertOpen(socket);
  return { socket, guard };
}

/** @throws what ended the connection, such as a camera that hung up or sent data too early */
export function assertOpen(socket: Socket): void {
  if (!socket.destroyed && !socket.readableEnded) return;
  socket.destroy();
  throw socket.errored ?? new Error(CONNECTION_CLOSED);
}

/**
 * Waits until data that has already arrived is read. The first turn may begin after the
 * event loop has polled the socket; the second polls it.
 */
async function untilDataIsRead(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

function startTls(
  tcp: Socket,
  camera: Camera,
  names: { host: string; servername: string },
): TLSSocket {
  const options = { ...names, ...trustOptions(camera), socket: tcp, ALPNProtocols: ['http/1.1'] };
  try {
    const tls = connectTls(options);
    limitTlsOverhead(tcp, tls);
    return tls;
  } catch (error) {
    tcp.destroy();
    throw error;
  }
}

/** Returns the trusted certificates: the default CAs, the source's own, or any at all. */
function trustOptions({ source: { tls } }: Camera): { ca?: string; rejectUnauthorized?: false } {
  if (!tls) return {};
  return 'ca' in tls ? { ca: tls.ca } : { rejectUnauthorized: false };
}

/** Resolves to the addresses that were checked, whatever DNS returns by now. */
function lookupAmong(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    if (options.all) callback(null, [...addresses]);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
  };
}

function untilConnected(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  // For as long as the socket lives: an error without a listener would end the process.
  socket.on('error', () => {});
  return new Promise<void>((resolve, reject) => {
    const abort = () => socket.destroy(signal.reason);
    const settle = (complete: () => void) => {
      signal.removeEventListener('abort', abort);
      complete();
    };
    socket.once(event, () => settle(resolve));
    socket.once('error', (error) => settle(() => reject(error)));
    socket.once('close', () => settle(() => reject(new Error(CONNECTION_CLOSED))));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
