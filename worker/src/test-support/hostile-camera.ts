import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { message, ok, serveTest } from './camera-server.ts';
import { selfSigned } from './certificate.ts';
import { image } from './images.ts';

/** When a hostile camera makes trouble. */
export const PHASES = [
  'on accept',
  'in the TLS handshake',
  'in its certificate',
  'before the request',
  'after the request',
  'in its head',
  'in its body',
  'after its body',
] as const;
export type Phase = (typeof PHASES)[number];

/** The trouble it makes; `reset` ends the TCP connection below a TLS one. */
type Trouble = (socket: Socket, reset: () => void) => void;

const jpeg = image('jpeg');
const flood = (piece: string): Trouble => {
  const pieces = Buffer.from(piece.repeat(1000));
  return (socket) => {
    const writeMore = () => {
      while (socket.writable && socket.write(pieces));
    };
    socket.on('drain', writeMore);
    writeMore();
  };
};

export const TROUBLES = {
  'a banner': (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'),
  garbage: (socket) => socket.write(Buffer.from('00ff16030100d8fe'.repeat(100), 'hex')),
  'a valid answer': (socket) => socket.write(ok(jpeg)),
  'half an answer': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-'),
  'endless 1xx answers': flood('HTTP/1.1 100 Continue\r\n\r\n'),
  'endless line ends': flood('\r\n'),
  'a reset': (_, reset) => reset(),
  'an end': (socket) => socket.end(),
  silence: () => {},
} satisfies Record<string, Trouble>;
export type TroubleName = keyof typeof TROUBLES;

const HEAD = message(['HTTP/1.1 200 OK', `Content-Length: ${jpeg.length}`]);
const certificate = selfSigned('localhost');

/** Starts a camera that makes one trouble in one phase of each connection, over TCP or TLS. */
export async function startHostileCamera(phase: Phase, trouble: TroubleName, isTls: boolean) {
  const { promise: troubled, resolve } = Promise.withResolvers<void>();
  let requests = 0;
  const { promise: struck, resolve: strike } = Promise.withResolvers<void>();
  const makeTrouble = (socket: Socket, raw: Socket) => {
    TROUBLES[trouble](socket, () => raw.resetAndDestroy());
    resolve();
  };
  const serveHttp = (socket: Socket, raw: Socket) => {
    if (phase === 'before the request') void struck.then(() => makeTrouble(socket, raw));
    let head = '';
    socket.on('data', (bytes) => {
      head += bytes;
      if (!head.endsWith('\r\n\r\n')) return;
      requests += 1;
      const sent = {
        'after the request': '',
        'in its head': HEAD.subarray(0, HEAD.length - 10),
        'in its body': Buffer.concat([HEAD, jpeg.subarray(0, -20)]),
        'after its body': Buffer.concat([HEAD, jpeg]),
      }[phase as string];
      if (sent !== undefined) socket.write(sent, () => makeTrouble(socket, raw));
    });
  };
  const tlsServer = createTlsServer(certificate);
  const serveTls = (raw: Socket) => {
    if (phase === 'in the TLS handshake') raw.once('data', () => makeTrouble(raw, raw));
    else if (phase === 'in its certificate') cutHandshake(raw, () => makeTrouble(raw, raw));
    else tlsServer.emit('connection', raw);
  };
  const rawOf = new Map<number | undefined, Socket>();
  tlsServer.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    const raw = rawOf.get(socket.remotePort);
    if (raw) serveHttp(socket, raw);
  });
  tlsServer.on('tlsClientError', () => {});
  // Without delay, or data after the handshake would wait for the client to acknowledge it.
  const server = createServer({ noDelay: true }, (raw) => {
    rawOf.set(raw.remotePort, raw);
    if (phase === 'on accept') makeTrouble(raw.resume(), raw);
    else if (isTls) serveTls(raw);
    else serveHttp(raw, raw);
  });
  return {
    ...(await serveTest(server)),
    get requests() {
      return requests;
    },
    /** Resolves once the trouble is made. */
    troubled,
    /** Makes the trouble of the phase 'before the request'. */
    strike,
  };
}

/** Passes on the beginning of a real server's handshake. */
function cutHandshake(raw: Socket, then: () => void): void {
  const server = createTlsServer(certificate).listen(0, '127.0.0.1', () => {
    const inner = connect((server.address() as AddressInfo).port, '127.0.0.1');
    inner.on('error', () => {});
    raw.on('data', (bytes) => inner.write(bytes)).on('close', () => inner.destroy());
    inner.once('data', (bytes) => {
      server.close();
      raw.write(bytes.subarray(0, 300), then);
    });
  });
}
