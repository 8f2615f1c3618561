import { connect, type LookupFunction, type Socket } from 'node:net';
import type { Source } from '@lastframe/shared/cameras/source';
import type { Address } from './address-guard.ts';

/** The error of a connection that the camera closed without one. */
export function closedByCamera(): Error {
  return Object.assign(new Error('the camera closed the connection'), { code: 'ECONNRESET' });
}

/** Connects to one of the addresses. @throws an error of the socket, or the signal's reason */
export async function openTcp(
  { host, port }: { host: string; port: number },
  addresses: readonly Address[],
  source: Pick<Source, 'startAllowanceMs'>,
  signal: AbortSignal,
): Promise<Socket> {
  const tcp = connect({
    host,
    port,
    lookup: lookupAmong(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptMs(source, addresses.length),
    noDelay: true,
  });
  await untilEvent(tcp, 'connect', signal);
  return tcp;
}

/**
 * Returns how long each address but the last is tried. Node's own 250 ms are too short for a camera
 * behind a slow link that has two addresses: neither would ever get an answer.
 */
export function attemptMs(source: Pick<Source, 'startAllowanceMs'>, addressCount: number): number {
  return Math.max(250, Math.floor(source.startAllowanceMs / (addressCount + 1)));
}

/** Resolves to the addresses that were checked, whatever DNS returns by now. */
function lookupAmong(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    if (options.all) callback(null, [...addresses]);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
  };
}

/** Waits for an event of a new socket. */
export function untilEvent(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
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

export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
