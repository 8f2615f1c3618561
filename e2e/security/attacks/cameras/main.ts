import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { recordPauses } from '../../../../slow-server/src/calls/pauses.ts';
import { selfSigned } from '../../../../worker/src/test-support/certificate.ts';
import { RESPONSES, sendDigestChallenge } from './answers.ts';
import { createRequestLog } from './request-log.ts';
import { GREETINGS } from './speaks-first.ts';

/**
 * All hostile cameras, in a process of their own. `GET /calls` and `GET /pauses` on the control
 * port return the logs for the checker.
 */
const HOST = '127.0.0.1';
const log = createRequestLog();
const pauses = recordPauses();

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) =>
    server.listen({ host: HOST, port: 0, backlog: 4096 }, resolve),
  );
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function answer(socket: Socket, path: string): void {
  const [, folder, kind = ''] = path.split('/');
  if (folder === 'digest') sendDigestChallenge(socket);
  else (RESPONSES[kind] ?? RESPONSES.small)?.(socket);
}

function serve(socket: Socket): void {
  const origin = `http://${HOST}:${socket.localPort}`;
  log.listen(socket, origin, (path) => answer(socket, path));
}

function greetWith(greet: (socket: Socket) => void, scheme: string) {
  return (socket: Socket) => {
    log.listen(socket, `${scheme}://${HOST}:${socket.localPort}`, () => {});
    greet(socket);
  };
}

async function startGreeters(): Promise<string[]> {
  const origins: string[] = [];
  const certificate = selfSigned(HOST);
  for (const greet of Object.values(GREETINGS)) {
    const port = await listen(createTcpServer(greetWith(greet, 'http')));
    const tls = createTlsServer(certificate, greetWith(greet, 'https'));
    tls.on('tlsClientError', (_, socket) => socket.destroy());
    origins.push(`http://${HOST}:${port}`);
    // A greeting instead of the handshake, and one right after it.
    origins.push(`https://${HOST}:${port}`, `https://${HOST}:${await listen(tls)}`);
  }
  return origins;
}

function control(req: IncomingMessage, res: ServerResponse): void {
  const known: Record<string, () => unknown> = { '/calls': () => log.calls, '/pauses': pauses.all };
  res.setHeader('Content-Type', 'application/json');
  res.end(JSON.stringify(known[req.url ?? '']?.() ?? null));
}

const camera = `http://${HOST}:${await listen(createTcpServer(serve))}`;
const greeters = await startGreeters();
const controlUrl = `http://${HOST}:${await listen(createServer(control))}`;
console.log(JSON.stringify({ msg: 'listening', camera, greeters, controlUrl }));
