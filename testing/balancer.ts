import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A small TCP balancer that follows `/readyz`, as a Kubernetes Service does. */
export interface Balancer {
  readonly url: string;
  /** Resolves when the process gets its share. */
  add(api: { url: string; opsUrl: string }): Promise<void>;
  remove(api: { url: string }): void;
  close(): Promise<void>;
}

interface Backend {
  url: string;
  opsUrl: string;
  ready: boolean;
  lookedMs: number;
  whenReady: () => void;
}

/** A busy machine may need so long for an answer. */
const PROBE_TIMEOUT_MS = 3000;
/** What was seen longer ago, for this process was stopped itself, is looked at again. */
const OLD_MS = 500;

/** @param probeEveryMs how soon it notices, at the latest, that a process should get nothing more */
export async function startBalancer(probeEveryMs = 50): Promise<Balancer> {
  const backends = new Map<string, Backend>();
  const sockets = new Set<Socket>();
  let turn = 0;

  const look = async (backend: Backend) => {
    try {
      const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
      backend.ready = (await fetch(`${backend.opsUrl}/readyz`, { signal })).ok;
    } catch {
      backend.ready = false;
    }
    backend.lookedMs = performance.now();
    if (backend.ready) backend.whenReady();
  };
  const watch = async (backend: Backend) => {
    while (backends.get(backend.url) === backend) {
      await look(backend);
      await sleep(probeEveryMs);
    }
  };
  const choose = async () => {
    const sinceMs = performance.now() - probeEveryMs - OLD_MS;
    const old = [...backends.values()].filter(({ lookedMs }) => lookedMs < sinceMs);
    await Promise.all(old.map(look));
    const ready = [...backends.values()].filter((backend) => backend.ready);
    return ready[turn++ % Math.max(1, ready.length)];
  };

  const server = createServer({ pauseOnConnect: true }, async (viewer) => {
    viewer.on('error', () => {});
    const backend = await choose();
    if (viewer.destroyed) return;
    if (!backend) return void viewer.destroy();
    const target = connect(Number(new URL(backend.url).port), '127.0.0.1');
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
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    add: ({ url, opsUrl }) =>
      new Promise((whenReady) => {
        const backend = { url, opsUrl, ready: false, lookedMs: 0, whenReady };
        backends.set(url, backend);
        void watch(backend);
      }),
    remove: ({ url }) => void backends.delete(url),
    close: async () => {
      backends.clear();
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
