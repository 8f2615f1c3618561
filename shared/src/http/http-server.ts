import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ListenOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** Lets several processes share the port (Linux). */
  reusePort?: boolean;
}

/**
 * The host in the URL of a request without `Host`. HTTP/1.0 doesn't require it, and probes of load
 * balancers send none. Under this name, nothing takes the request for one to loopback.
 */
export const NO_HOST = 'no-host.invalid';

/**
 * Starts listening and returns the actual port.
 * @throws Error with one sentence that a person can act on
 */
export async function listen(server: Server, options: ListenOptions): Promise<number> {
  const { host, port, reusePort = false } = options;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, reusePort }, () => resolve());
    });
  } catch (error) {
    throw new Error(explain(error as NodeJS.ErrnoException, options), { cause: error });
  }
  return (server.address() as AddressInfo).port;
}

/** Stops accepting, lets requests end within `graceMs`, then closes the remaining connections. */
export async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed.finally(() => clearTimeout(cut));
}

function explain(error: NodeJS.ErrnoException, { host, port }: ListenOptions): string {
  if (error.code === 'EADDRINUSE') {
    return `port ${port} on ${host} is in use; stop the process that uses it, or set another port`;
  }
  if (error.code === 'EACCES')
    return `port ${port} cannot be opened by this user; use a port ≥ 1024`;
  if (error.code === 'EADDRNOTAVAIL') {
    return `${host} is not an address of this machine; correct HOST or OPS_HOST`;
  }
  return `cannot listen on ${host}:${port}: ${error.message}`;
}
