import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

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

/** Returns the preferred port if it is free, otherwise any free port. */
export async function freePort(preferred: number): Promise<number> {
  if (await isFree(preferred)) return preferred;
  const server = createServer().listen({ host: '127.0.0.1', port: 0, exclusive: true });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function isTaken(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    // Other errors (no IPv6, a privileged port) are reported by the process that needs the port.
    return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  }
  await new Promise((resolve) => server.close(resolve));
  return false;
}
