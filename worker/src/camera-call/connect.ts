import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import { type Address, allowedAddresses } from './address-guard.ts';
import { HandshakeError } from './call-error.ts';
import type { ConnectSteps } from './connect-steps.ts';
import { guardResponse, type ResponseGuard } from './response/response-guard.ts';
import { tlsOptionsFor } from './tls-options.ts';
import { limitTlsOverhead } from './tls-overhead.ts';

export interface Connection {
  socket: Socket;
  guard: ResponseGuard;
}

/** The error of a connection that the camera closed without one. */
export function closedByCamera(): Error {
  return Object.assign(new Error('the camera closed the connection'), { code: 'ECONNRESET' });
}

/**
 * Connects to the camera's host, TLS included, and sends no request yet.
 * @throws AddressRefusedError, HandshakeError, an error of the resolver or the socket, or the
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
  steps.begin('lookup');
  const addresses = await unlessAborted(
    allowedAddresses(url.hostname, camera.source.networks),
    signal,
  );
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isTls = url.protocol === 'https:';
  steps.begin('tcp');
  const tcp = connectTcp({
    host,
    port: Number(url.port) || (isTls ? 443 : 80),
    lookup: lookupAmong(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptMs(camera.source, addresses.length),
    noDelay: true,
  });
  await untilConnected(tcp, 'connect', signal);
  if (isTls) steps.begin('tls');
  const socket = isTls ? await startTls(tcp, camera, host, signal) : tcp;
  const guard = guardResponse(socket);
  await untilDataIsRead();
  assertOpen(socket);
  return { socket, guard };
}

/**
 * Returns how long each address but the last is tried. Node's own 250 ms are too short for a camera
 * behind a slow link that has two addresses: neither would ever get an answer.
 */
export function attemptMs(source: Pick<Source, 'startAllowanceMs'>, addressCount: number): number {
  return Math.max(250, Math.floor(source.startAllowanceMs / (addressCount + 1)));
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
    await untilConnected(tls, 'secureConnect', signal).catch((error) => {
      throw new HandshakeError(error, sawCertificate);
    });
    return tls;
  } catch (error) {
    tcp.destroy();
    throw error;
  }
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
    socket.once('close', () => settle(() => reject(closedByCamera())));
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
