import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a TCP server that can be made to misbehave as networks do. */
export interface TcpProxy {
  readonly port: number;
  /** Swallows everything in both directions, new connections too, without a RST. */
  blackHole(): void;
  /** Delays every byte from the server by so long. */
  delay(ms: number): void;
  /** Behaves again. What was swallowed stays lost, as its connections do. */
  heal(): void;
  readonly open: number;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let swallow = false;
  let delayMs = 0;

  const server = createServer((viewer) => {
    const target = connect(targetPort, '127.0.0.1');
    // A connection that was caught in the hole stays there: its bytes are gone.
    let lost = swallow;
    const pass = (from: Socket, to: Socket, afterMs: () => number) => {
      from.on('data', (chunk) => {
        lost ||= swallow;
        if (lost) return;
        const ms = afterMs();
        if (ms === 0) to.write(chunk);
        else setTimeout(() => !lost && to.writable && to.write(chunk), ms);
      });
      from.on('close', () => !lost && to.destroy());
      from.on('error', () => {});
      sockets.add(from);
      from.on('close', () => sockets.delete(from));
    };
    pass(viewer, target, () => 0);
    pass(target, viewer, () => delayMs);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  return {
    port: (server.address() as { port: number }).port,
    blackHole: () => {
      swallow = true;
    },
    delay: (ms) => {
      delayMs = ms;
    },
    heal: () => {
      swallow = false;
      delayMs = 0;
    },
    get open() {
      return sockets.size;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
