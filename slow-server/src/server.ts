import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import { createCallLog } from './call-log.ts';
import { createCameraMemory } from './camera-memory.ts';
import { loadFonts } from './fonts.ts';
import { createImageCallAnswerer } from './image-call.ts';
import { watchPauses } from './pauses.ts';

export interface SlowServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  delayMs: number;
  log: Pick<Logger, 'error'>;
}

export interface SlowServer {
  /** The real one. */
  port: number;
  /** Stops listening and drops open calls. */
  close: () => Promise<void>;
}

/** Starts the server; rejects when it can't listen. */
export async function startSlowServer({
  host,
  port,
  delayMs,
  log,
}: SlowServerOptions): Promise<SlowServer> {
  loadFonts();
  const memory = createCameraMemory();
  const answerImageCall = createImageCallAnswerer({ memory, delayMs });
  const pauses = watchPauses();
  const app = createApp({ calls: createCallLog(), pauses, memory, answerImageCall, log });
  const listener = getRequestListener(
    (request, env) => app.fetch(request, { ...env, startMs: performance.now() }),
    // HTTP/1.0 callers need not say where they call.
    { hostname: 'localhost' },
  );
  // A request's own timeout would be for slow senders; here only the answers are slow.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 75_000 }, listener);
  server.listen({ host, port, backlog: 4096 });
  await once(server, 'listening');
  const close = async () => {
    pauses.close();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, close };
}
