import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';

/** Addresses of the fleet and of the hostile cameras. */
export interface Targets {
  apis: readonly string[];
  /** The ops listeners of every api and worker. */
  ops: readonly string[];
  redisUrl: string;
  redisPrefix: string;
  /** A hostile camera; the path selects its response. */
  camera: string;
  /** Servers that send before they receive a request. */
  greeters: readonly string[];
  slowServer: string;
}

export type Attacker = ReturnType<typeof createAttacker>;

const agent = new Agent({ keepAlive: true, maxSockets: 300 });
/** Longer than a cold request may wait. */
const TIMEOUT_MS = 10_000;

/** Creates what attacks are made of. `count` records each outcome. */
export function createAttacker(targets: Targets, count: (outcome: string) => void) {
  /** Requests a path of a listener and counts the status of the response. */
  const request = (origin: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<void>((resolve) => {
      const done = (outcome: string) => {
        count(outcome);
        resolve();
      };
      const req = get(origin + path, { agent, headers, timeout: TIMEOUT_MS }, (res) => {
        res.resume();
        res.on('close', () => done(String(res.statusCode)));
        res.on('error', () => {});
      });
      req.on('timeout', () => req.destroy(new Error('timeout')));
      req.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    }).catch((error: Error) => count(error.message));
  return {
    ...targets,
    count,
    request,
    /** Requests a camera's image from the next api. */
    requestImage: (turn: number, cameraUrl: string, headers?: Record<string, string>) =>
      request(nth(targets.apis, turn), pathFor('/images', cameraUrl), headers),
    /** Sends bytes that no HTTP client would send and counts the status of the response. */
    sendRaw: (turn: number, text: string): void => {
      const socket = openSocket(nth(targets.apis, turn));
      socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
      socket.write(text, 'latin1');
      let answer = '';
      socket.on('data', (chunk) => {
        if (answer.length < 12) answer += chunk.toString('latin1');
        socket.end();
      });
      socket.on('close', () => count(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'no answer'));
    },
  };
}

/** Runs `work` at a steady rate; an error in one turn does not stop the others. */
export function runPerSecond(rate: number, work: (turn: number) => unknown): void {
  let turn = 0;
  setInterval(async () => {
    turn += 1;
    try {
      await work(turn);
    } catch {
      // attackers ignore errors
    }
  }, 1000 / rate);
}

/** Keeps up to `most` connections open and opens at most `rate` per second. */
export function keepOpen(most: number, rate: number, open: (turn: number) => Socket): void {
  let openCount = 0;
  runPerSecond(rate, (turn) => {
    if (openCount >= most) return;
    openCount += 1;
    open(turn).on('close', () => {
      openCount -= 1;
    });
  });
}

/** Opens a connection and ignores its errors. @param localAddress for limits per client */
export function openSocket(origin: string, localAddress = '127.0.0.1'): Socket {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  return socket.on('error', () => socket.destroy());
}

/** Requests a path on a connection of its own, and leaves reading to the caller. */
export function openRequest(origin: string, path: string, localAddress?: string): Socket {
  const socket = openSocket(origin, localAddress);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${new URL(origin).host}\r\n\r\n`);
  return socket;
}

/** Repeats `work` until the connection is closed. */
export function whileOpen(socket: Socket, everyMs: number, work: () => unknown): Socket {
  const timer = setInterval(work, everyMs);
  return socket.on('close', () => clearInterval(timer));
}

export function pathFor(path: '/images' | '/stream' | '/events', cameraUrl: string): string {
  return `${path}?url=${encodeURIComponent(cameraUrl)}`;
}

/** Returns the item for a turn, cycling through all of them. */
export function nth<T>(items: readonly T[], turn: number): T {
  return items[turn % items.length] as T;
}
