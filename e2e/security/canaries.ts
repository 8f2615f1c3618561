import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { freePort } from '../../testing/redis-server.ts';

/** Listeners on one port of every address of this machine, IPv4 and IPv6, that nobody may reach. */
export interface Canaries {
  port: number;
  /** Which of them was reached how often. */
  readonly reached: { ipv4: number; ipv6: number };
  close(): Promise<void>;
}

export async function startCanaries(): Promise<Canaries> {
  const port = await freePort();
  const reached = { ipv4: 0, ipv6: 0 };
  const listenAt = async (host: string, kind: keyof typeof reached): Promise<Server> => {
    const server = createServer((socket) => {
      reached[kind] += 1;
      socket.on('error', () => {});
      socket.resume();
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret');
    });
    await once(server.listen({ port, host, ipv6Only: true }), 'listening');
    return server;
  };
  const servers = [await listenAt('0.0.0.0', 'ipv4'), await listenAt('::', 'ipv6')];
  return {
    port,
    reached,
    close: async () => {
      await Promise.all(servers.map((server) => once(server.close(), 'close')));
    },
  };
}
