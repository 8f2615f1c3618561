import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A small TCP balancer that follows `/readyz`, as a Kubernetes Service does. */
export interface Balancer {
  readonly url: string;
  /** Resolves when the process gets its share. */
  add(api: { url: string; opsUrl: string }): Promise<void>;
  remove(api: { url: string }): void;
  close(): Promise<void>;
}

interface Backend {
  opsUrl: string;
  ready: boolean;
  whenReady: () => void;
}

/** @param probeEveryMs how soon it notices, at the latest, that a process should get nothing more */
export async function startBalancer(probeEveryMs = 50): Promise<Balancer> {
  const backends = new Map<string, Backend>();
  const sockets = new Set<Socket>();
  let turn = 0;

  const probe = async (opsUrl: string) => {
    try {
      return (await fetch(`${opsUrl}/readyz`, { signal: AbortSignal.timeout(1000) })).ok;
    } catch {
      return false;
    }
  };
  const watching = setInterval(async () => {
    for (const backend of backends.values()) {
      backend.ready = await probe(backend.opsUrl);
      if (backend.ready) backend.whenReady();
    }
  }, probeEveryMs);

  const server = createServer((viewer) => {
    const ready = [...backends].filter(([, { ready }]) => ready);
    const [url] = ready[turn++ % Math.max(1, ready.length)] ?? [];
    if (!url) return viewer.destroy();
    const target = connect(Number(new URL(url).port), '127.0.0.1');
    for (const [from, to] of [
      [viewer, target],
      [target, viewer],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroySoon(); // what was read from the one still goes to the other
      });
      from.pipe(to);
    }
    return viewer;
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    add: ({ url, opsUrl }) =>
      new Promise((whenReady) => backends.set(url, { opsUrl, ready: false, whenReady })),
    remove: ({ url }) => void backends.delete(url),
    close: async () => {
      clearInterval(watching);
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
