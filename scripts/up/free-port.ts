import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * Whether a process that listens on the port would be the only one and would be found as localhost.
 * An api can't tell by itself: with `reusePort` it would join a stranger's port without an error.
 */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ['0.0.0.0', '127.0.0.1', '::1']) {
    if (await isTaken(host, port)) return false;
  }
  return true;
}

/** The port if it is free, else any that is. */
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
    // Other errors (no IPv6, a privileged port) are for the part that needs the port to explain.
    return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  }
  await new Promise((resolve) => server.close(resolve));
  return false;
}
