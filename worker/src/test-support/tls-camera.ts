import { createCipheriv, createHmac, type DiffieHellmanGroup } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { serveTest } from './camera-server.ts';
import { selfSigned } from './certificate.ts';

const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

/** Starts a camera below TLS: `serve` gets the TCP connection. */
export async function startTcpCamera(serve: (socket: Socket) => void) {
  let sentBytes = 0;
  const server = createServer((socket) => {
    socket.on('close', () => {
      sentBytes += socket.bytesWritten;
    });
    serve(socket);
  });
  return { ...(await serveTest(server)), sentBytes: () => sentBytes };
}

/** Returns the record with which a TLS 1.2 server without RFC 5746 agrees to a common cipher. */
export function serverHello(): Buffer {
  const ECDHE_RSA_AES128_GCM = Buffer.from([0xc0, 0x2f, 0]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 1),
    Buffer.from([0]),
    ECDHE_RSA_AES128_GCM,
  ]);
  return plainRecord(Buffer.concat([Buffer.from([2, 0, 0, body.length]), body]));
}

/** Returns a group in PEM. */
export function dhParameters(group: DiffieHellmanGroup): string {
  const prime = Buffer.concat([Buffer.from([0]), group.getPrime()]);
  const integers = Buffer.concat([
    Buffer.from([0x02, 0x82, prime.length >> 8, prime.length & 0xff]),
    prime,
    Buffer.from([0x02, 0x01]),
    group.getGenerator(),
  ]);
  const der = Buffer.concat([
    Buffer.from([0x30, 0x82, integers.length >> 8, integers.length & 0xff]),
    integers,
  ]);
  return `-----BEGIN DH PARAMETERS-----\n${der.toString('base64')}\n-----END DH PARAMETERS-----\n`;
}

/** Returns a TLS record with unencrypted content. */
export function plainRecord(content: Buffer): Buffer {
  return record(HANDSHAKE, content);
}

/**
 * Takes the server's side of a TLS 1.3 handshake. `seal` makes the server's next record: Node
 * cannot send an unsolicited handshake message.
 */
export function startTls13(
  tcp: Socket,
  onRequest: (tls: TLSSocket, seal: (message: Buffer) => Buffer) => void,
): void {
  const secureContext = createSecureContext({
    ...selfSigned('localhost'),
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
  });
  // TLS has its own handle, so the connection's `write` goes past it.
  const tls = new TLSSocket(tcp, { isServer: true, secureContext });
  tls.on('error', () => {});
  let secret: Buffer | undefined;
  tls.on('keylog', (line: Buffer) => {
    const [label, , hex] = line.toString().trim().split(' ');
    if (label === 'SERVER_TRAFFIC_SECRET_0') secret = Buffer.from(hex ?? '', 'hex');
  });
  tls.once('data', () => {
    if (!secret) throw new Error('the handshake showed no secret');
    onRequest(tls, createSealer(secret));
  });
}

/** Starts at 2: OpenSSL's own two session tickets have the first numbers. */
function createSealer(secret: Buffer): (message: Buffer) => Buffer {
  const key = expandLabel(secret, 'key', 16);
  const iv = expandLabel(secret, 'iv', 12);
  let sequence = 2n;
  return (message) => {
    const nonce = Buffer.from(iv);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ sequence, 4);
    sequence += 1n;
    const cipher = createCipheriv('aes-128-gcm', key, nonce);
    const inner = Buffer.concat([message, Buffer.from([HANDSHAKE])]);
    cipher.setAAD(headOf(APPLICATION_DATA, inner.length + 16));
    const sealed = Buffer.concat([cipher.update(inner), cipher.final()]);
    return record(APPLICATION_DATA, Buffer.concat([sealed, cipher.getAuthTag()]));
  };
}

/** RFC 8446, 7.1. */
function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0])]);
  // The only block of HKDF-Expand that is needed.
  const block = createHmac('sha256', secret)
    .update(info)
    .update(Buffer.from([1]))
    .digest();
  return block.subarray(0, length);
}

function record(type: number, content: Buffer): Buffer {
  return Buffer.concat([headOf(type, content.length), content]);
}

function headOf(type: number, length: number): Buffer {
  return Buffer.from([type, 3, 3, length >> 8, length & 0xff]);
}
