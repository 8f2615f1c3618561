import { createServer } from 'node:net';

/**
 * Returns whether no process listens on the port, neither on all addresses nor on localhost.
 * An api cannot detect this itself: with `reusePort` it would join another's port without an error.
 */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ['0.0.0.0', '127.0.0.1', '::1']) {
    if (await isTaken(host, port)) return false;
  }
  return true;
}

/** Returns the first free port from `port` on. */
export async function freePort(port: number): Promise<number> {
  return (await isFree(port)) ? port : freePort(port + 1);
}

function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Other errors (no IPv6, a privileged port) are reported by the process that needs the port.
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}
