import { once } from 'node:events';
import type { AddressInfo, ListenOptions, Server, Socket } from 'node:net';

/** A test's own server on a free port. */
export interface RunningServer {
  readonly port: number;
  /** Its open connections. */
  readonly open: ReadonlySet<Socket>;
  /** Closes it and all its connections. */
  close(): Promise<void>;
}

export async function startServer(
  server: Server,
  options: ListenOptions = {},
): Promise<RunningServer> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {}); // a client may reset it
    socket.on('close', () => open.delete(socket));
  });
  await once(server.listen({ host: '127.0.0.1', port: 0, ...options }), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    open,
    close: async () => {
      for (const socket of open) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
