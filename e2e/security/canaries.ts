import { createServer } from 'node:net';
import { freePort } from '../../testing/redis/redis-server.ts';
import { startServer } from '../../testing/running-server.ts';

/** Listeners that nobody may reach, on one port of every IPv4 and IPv6 address of this machine. */
export interface Canaries {
  port: number;
  /** Connections to each of them. */
  readonly connections: { ipv4: number; ipv6: number };
  close(): Promise<void>;
}

export async function startCanaries(): Promise<Canaries> {
  const port = await freePort();
  const connections = { ipv4: 0, ipv6: 0 };
  const listenAt = async (host: string, kind: keyof typeof connections) => {
    const server = createServer((socket) => {
      connections[kind] += 1;
      socket.resume();
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret');
    });
    return await startServer(server, { port, host, ipv6Only: true });
  };
  const servers = [await listenAt('0.0.0.0', 'ipv4'), await listenAt('::', 'ipv6')];
  return {
    port,
    connections,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
