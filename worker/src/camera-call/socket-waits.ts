import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/** The error of a connection that the camera closed without one. */
export function closedByCamera(): Error {
  return Object.assign(new Error('the camera closed the connection'), { code: 'ECONNRESET' });
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

/** Waits for work that an abort leaves running. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Waits until data that has already arrived is read. The first turn may begin after the
 * event loop has polled the sockets; the second polls them.
 */
export async function untilDataIsRead(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
