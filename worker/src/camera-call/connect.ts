import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Camera } from '@lastframe/shared/cameras/camera';
import { type Address, allowedAddresses } from './address-guard.ts';
import { type AnswerGuard, guardAnswer } from './answer-guard.ts';
import { boundTlsOverhead } from './tls-overhead.ts';

export interface Connection {
  socket: Socket;
  guard: AnswerGuard;
}

export const HUNG_UP = 'the camera closed the connection';

/**
 * Opens a connection to the camera's host, TLS included, on which nothing has been sent yet.
 * @throws AddressRefusedError, an error of the resolver or the socket, or the signal's reason
 */
export async function connectToCamera(camera: Camera, signal: AbortSignal): Promise<Connection> {
  // Before anything is begun: a look-up that nobody waits for would fail with nobody to hear it.
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
  await connected(tcp, 'connect', signal);
  const servername = addresses[0]?.address === host ? '' : host;
  const socket = isTls ? startTls(tcp, camera, { host, servername }) : tcp;
  if (isTls) await connected(socket, 'secureConnect', signal);
  const guard = guardAnswer(socket);
  await arrivedSoFar();
  assertUsable(socket);
  return { socket, guard };
}

/** @throws what ended the connection, such as a camera that hung up or spoke before it was asked */
export function assertUsable(socket: Socket): void {
  if (!socket.destroyed && !socket.readableEnded) return;
  socket.destroy();
  throw socket.errored ?? new Error(HUNG_UP);
}

/**
 * Lets the event loop read once what the camera sent unasked: the first turn ends after the reading
 * of this one, the second after the reading of the next.
 */
async function arrivedSoFar(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

function startTls(
  tcp: Socket,
  camera: Camera,
  names: { host: string; servername: string },
): TLSSocket {
  const options = { ...names, ...trust(camera), socket: tcp, ALPNProtocols: ['http/1.1'] };
  try {
    const tls = connectTls(options);
    boundTlsOverhead(tcp, tls);
    return tls;
  } catch (error) {
    tcp.destroy();
    throw error;
  }
}

/** Who may sign the camera's certificate: anybody, those whom its source names, or the usual ones. */
function trust({ source: { tls } }: Camera): { ca?: string; rejectUnauthorized?: false } {
  if (!tls) return {};
  return 'ca' in tls ? { ca: tls.ca } : { rejectUnauthorized: false };
}

/** Answers from the addresses that were checked, whatever DNS says by now. */
function lookupAmong(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    if (options.all) callback(null, [...addresses]);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
  };
}

function connected(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  // For as long as the socket lives, whoever else listens: an unheard error would end the process.
  socket.on('error', () => {});
  return new Promise<void>((resolve, reject) => {
    const abort = () => socket.destroy(signal.reason);
    const settle = (settled: () => void) => {
      signal.removeEventListener('abort', abort);
      settled();
    };
    socket.once(event, () => settle(resolve));
    socket.once('error', (error) => settle(() => reject(error)));
    socket.once('close', () => settle(() => reject(new Error(HUNG_UP))));
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
