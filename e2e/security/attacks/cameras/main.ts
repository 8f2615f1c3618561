import { createServer } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { recordPauses } from '../../../../slow-server/src/calls/pauses.ts';
import { startServer } from '../../../../testing/running-server.ts';
import { selfSigned } from '../../../../worker/src/test-support/certificate.ts';
import { GREETINGS, RESPONSES, sendDigestChallenge } from './answers.ts';
import { type HostileCall, recordRequest } from './request-log.ts';

/**
 * All hostile cameras, in a process of their own. `GET /calls` and `GET /pauses` on the control
 * port return the logs for the checker.
 */
const calls: HostileCall[] = [];
const pauses = recordPauses();

async function listen(server: Server): Promise<string> {
  const { port } = await startServer(server, { backlog: 4096 });
  return `127.0.0.1:${port}`;
}

function answer(socket: Socket, path: string): void {
  const [, folder, kind = ''] = path.split('/');
  if (folder === 'digest') sendDigestChallenge(socket);
  else (RESPONSES[kind] ?? RESPONSES.small)?.(socket);
}

async function startGreeters(): Promise<string[]> {
  const origins: string[] = [];
  const certificate = selfSigned('127.0.0.1');
  for (const greet of GREETINGS) {
    const serve = (socket: Socket) => {
      recordRequest(socket, calls);
      greet(socket);
    };
    const plain = await listen(createTcpServer(serve));
    const tls = createTlsServer(certificate, serve);
    tls.on('tlsClientError', (_, socket) => socket.destroy());
    // A greeting instead of the handshake, and one right after it.
    origins.push(`http://${plain}`, `https://${plain}`, `https://${await listen(tls)}`);
  }
  return origins;
}

const camera = await listen(createTcpServer((socket) => recordRequest(socket, calls, answer)));
const control = await listen(
  createServer((req, res) => res.end(JSON.stringify(req.url === '/calls' ? calls : pauses.all()))),
);
const origins = { camera: `http://${camera}`, controlUrl: `http://${control}` };
console.log(JSON.stringify({ msg: 'listening', ...origins, greeters: await startGreeters() }));
