import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Suite } from './suite.ts';

export interface LocalServer {
  url: string;
  close(): void;
}

/** The suite's own origin server, on a free port. */
export function startOrigin({ handlers }: Suite): Promise<LocalServer> {
  return listen((req, res) => {
    const [, kind = '', ...segments] = new URL(req.url ?? '', 'http://origin').pathname.split('/');
    if (kind === 'config' || kind === 'state' || kind === 'test') {
      handlers[kind](segments, req, res);
    } else {
      res.writeHead(404).end();
    }
  });
}

export async function listen(onRequest: RequestListener): Promise<LocalServer> {
  const server = createServer(onRequest).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
