import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../running-server.ts';

/** A small TCP load balancer that routes by `/readyz`, as a Kubernetes Service does. */
export interface Balancer {
  readonly url: string;
  /** Resolves when the process is ready and gets connections. */
  addWhenReady(api: { url: string; opsUrl: string }): Promise<void>;
  remove(api: { url: string }): void;
  close(): Promise<void>;
}

interface Backend {
  url: string;
  opsUrl: string;
  ready: boolean;
  probedMs: number;
  whenReady: () => void;
}

/** A busy machine may take this long to respond. */
const PROBE_TIMEOUT_MS = 3000;
/** Older probes are repeated: this process itself may have been stopped since. */
const MAX_PROBE_AGE_MS = 500;

/** @param probeEveryMs the longest time until a process that is not ready gets no connections */
export async function startBalancer(probeEveryMs = 50): Promise<Balancer> {
  const backends = new Map<string, Backend>();
  let turn = 0;

  const probe = async (backend: Backend) => {
    try {
      const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
      backend.ready = (await fetch(`${backend.opsUrl}/readyz`, { signal })).ok;
    } catch {
      backend.ready = false;
    }
    backend.probedMs = performance.now();
    if (backend.ready) backend.whenReady();
  };
  const probeWhileAdded = async (backend: Backend) => {
    while (backends.get(backend.url) === backend) {
      await probe(backend);
      await sleep(probeEveryMs);
    }
  };
  const chooseBackend = async () => {
    const sinceMs = performance.now() - probeEveryMs - MAX_PROBE_AGE_MS;
    const outdated = [...backends.values()].filter(({ probedMs }) => probedMs < sinceMs);
    await Promise.all(outdated.map(probe));
    const ready = [...backends.values()].filter((backend) => backend.ready);
    return ready[turn++ % Math.max(1, ready.length)];
  };

  const server = createServer({ pauseOnConnect: true }, async (viewer) => {
    const backend = await chooseBackend();
    if (viewer.destroyed) return;
    if (!backend) return void viewer.destroy();
    const target = connect(Number(new URL(backend.url).port), '127.0.0.1');
    for (const [from, to] of [
      [viewer, target],
      [target, viewer],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroySoon()); // after writing what was already read
      from.pipe(to);
    }
  });
  const { port, close } = await startServer(server);
  return {
    url: `http://127.0.0.1:${port}`,
    addWhenReady: ({ url, opsUrl }) =>
      new Promise((whenReady) => {
        const backend = { url, opsUrl, ready: false, probedMs: 0, whenReady };
        backends.set(url, backend);
        void probeWhileAdded(backend);
      }),
    remove: ({ url }) => void backends.delete(url),
    close: async () => {
      backends.clear();
      await close();
    },
  };
}
