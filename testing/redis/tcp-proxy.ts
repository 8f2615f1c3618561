import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../running-server.ts';

/** A TCP proxy that can misbehave as networks do. */
export interface TcpProxy {
  readonly port: number;
  /** Drops everything in both directions, on new connections too, without a RST. */
  blackHole(): void;
  /** Delays every byte from the server. */
  delay(ms: number): void;
  /** Sends new connections to another server; open ones keep theirs. */
  switchTo(port: number): void;
  /** Closes every open connection. */
  drop(): void;
  /** Behaves normally again. Dropped bytes and their connections stay lost. */
  heal(): void;
  readonly open: number;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let dropping = false;
  let delayMs = 0;
  let target = targetPort;

  const server = createServer((viewer) => {
    const upstream = connect(target, '127.0.0.1');
    // Once bytes were dropped, the connection can't recover.
    let isLost = dropping;
    const pass = (from: Socket, to: Socket, afterMs: () => number) => {
      // Keeps chunks in order, even if the delay ends in between.
      let previousWrite = Promise.resolve();
      from.on('data', (chunk) => {
        isLost ||= dropping;
        if (isLost) return;
        const ms = afterMs();
        const due = ms === 0 ? undefined : sleep(ms);
        previousWrite = Promise.all([previousWrite, due]).then(() => {
          if (!isLost && to.writable) to.write(chunk);
        });
      });
      from.on('close', () => !isLost && to.destroy());
      from.on('error', () => {});
      sockets.add(from);
      from.on('close', () => sockets.delete(from));
    };
    pass(viewer, upstream, () => 0);
    pass(upstream, viewer, () => delayMs);
  });
  const { port, close } = await startServer(server);
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };

  return {
    port,
    blackHole: () => {
      dropping = true;
    },
    delay: (ms) => {
      delayMs = ms;
    },
    switchTo: (port) => {
      target = port;
    },
    drop,
    heal: () => {
      dropping = false;
      delayMs = 0;
    },
    get open() {
      return sockets.size;
    },
    close: async () => {
      drop();
      await close();
    },
  };
}
