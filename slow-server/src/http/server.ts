import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { createCameraMemory } from '../behaviour/camera-memory.ts';
import { createCallLog } from '../calls/call-log.ts';
import { recordPauses } from '../calls/pauses.ts';
import { loadFonts } from '../picture/fonts.ts';
import { createApp } from './app.ts';
import { createImageCallHandler } from './image-call.ts';

export interface SlowServerOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  delayMs: number;
  log: Pick<Logger, 'error'>;
}

export interface SlowServer {
  /** The actual port. */
  port: number;
  /** Stops listening and drops open calls. */
  close: () => Promise<void>;
}

/** Starts the server; rejects if it cannot listen. */
export async function startSlowServer({
  host,
  port,
  delayMs,
  log,
}: SlowServerOptions): Promise<SlowServer> {
  loadFonts();
  const memory = createCameraMemory();
  const answerImageCall = createImageCallHandler({ memory, delayMs });
  const pauses = recordPauses();
  const app = createApp({ calls: createCallLog(), pauses, memory, answerImageCall, log });
  const listener = getRequestListener(
    (request, env) => app.fetch(request, { ...env, startMs: performance.now() }),
    // HTTP/1.0 clients may omit `Host`.
    { hostname: 'localhost' },
  );
  // A request timeout is for slow senders; here only the responses are slow.
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
