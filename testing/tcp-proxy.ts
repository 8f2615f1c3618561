import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A proxy in front of a TCP server that can be made to misbehave as networks do. */
export interface TcpProxy {
  readonly port: number;
  /** Swallows everything in both directions, new connections too, without a RST. */
  blackHole(): void;
  /** Delays every byte from the server by so long. */
  delay(ms: number): void;
  /** New connections go to another server; those that are open stay where they are. */
  switchTo(port: number): void;
  /** Ends every open connection. */
  drop(): void;
  /** Behaves again. What was swallowed stays lost, as its connections do. */
  heal(): void;
  readonly open: number;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let swallow = false;
  let delayMs = 0;
  let target = targetPort;

  const server = createServer((viewer) => {
    const upstream = connect(target, '127.0.0.1');
    // A connection that was caught in the hole stays there: its bytes are gone.
    let lost = swallow;
    const pass = (from: Socket, to: Socket, afterMs: () => number) => {
      // One behind the other, also when the delay ends in between: a stream has an order.
      let before = Promise.resolve();
      from.on('data', (chunk) => {
        lost ||= swallow;
        if (lost) return;
        const ms = afterMs();
        const due = ms === 0 ? undefined : sleep(ms);
        before = Promise.all([before, due]).then(() => {
          if (!lost && to.writable) to.write(chunk);
        });
      });
      from.on('close', () => !lost && to.destroy());
      from.on('error', () => {});
      sockets.add(from);
      from.on('close', () => sockets.delete(from));
    };
    pass(viewer, upstream, () => 0);
    pass(upstream, viewer, () => delayMs);
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
    switchTo: (port) => {
      target = port;
    },
    drop: () => {
      for (const socket of sockets) socket.destroy();
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
