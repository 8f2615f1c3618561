import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { neverAborted, prepareCameraCall } from '../../test-support/calls.ts';
import { ok, startCamera } from '../../test-support/camera-server.ts';
import { testCamera, testSource } from '../../test-support/cameras.ts';
import { selfSigned } from '../../test-support/certificate.ts';
import { image } from '../../test-support/images.ts';
import { plainRecord, startTcpCamera, startTls13 } from '../../test-support/tls-camera.ts';

const MIB = 1024 ** 2;
const HELLO_REQUEST = Buffer.from([0, 0, 0, 0]);
/** NewSessionTicket: lifetime, age, nonce, a ticket of 200 bytes, no extensions. */
const TICKET = Buffer.concat([
  Buffer.from([4, 0, 0, 4 + 4 + 1 + 2 + 200 + 2]),
  Buffer.from([0, 0, 28, 32, 0, 0, 0, 0, 0, 0, 200]),
  Buffer.alloc(202),
]);

/** Writes endlessly until the other side hangs up. */
function pour(socket: Socket, next: () => Buffer): void {
  const more = () => {
    while (socket.writable && socket.write(next()));
  };
  socket.on('drain', more);
  more();
}

async function call(port: number) {
  const camera = testCamera(
    `https://127.0.0.1:${port}/`,
    testSource({ timeoutMs: 60_000, tls: { insecure: true } }),
  );
  const prepared = await prepareCameraCall(camera, 60_000, neverAborted);
  return prepared.outcome === 'connected' ? await prepared.call.send(neverAborted) : prepared;
}

describe('TLS messages without data end a call long before its deadline', () => {
  const reason = 'the camera sends TLS messages but hardly any data';
  const failure = { outcome: 'failed', status: 502, reason, error: 'tls_protocol_error' };

  it('hello requests instead of a handshake', async () => {
    const requests = Buffer.concat(Array.from({ length: 4000 }, () => HELLO_REQUEST));
    const server = await startTcpCamera((socket) => pour(socket, () => plainRecord(requests)));
    expect(await call(server.port)).toMatchObject(failure);
    await server.allClosed();
    expect(server.sentBytes()).toBeLessThan(128 * MIB);
  });

  it('session tickets instead of a response', async () => {
    const server = await startTcpCamera((tcp) =>
      startTls13(tcp, (_, seal) => pour(tcp, () => seal(TICKET))),
    );
    expect(await call(server.port)).toMatchObject(failure);
    await server.allClosed();
    expect(server.sentBytes()).toBeLessThan(32 * MIB);
  });
});

it('accepts a frame in TLS records of 100 bytes', async () => {
  const jpeg = image('jpeg');
  const frame = Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(MIB, 0xaa), jpeg.subarray(-2)]);
  const server = await startCamera((socket) => {
    const head = ok(frame).subarray(0, -frame.length);
    socket.write(head);
    // One record per piece.
    for (let at = 0; at < frame.length; at += 100) socket.write(frame.subarray(at, at + 100));
  }, selfSigned('localhost'));
  expect(await call(server.port)).toMatchObject({ outcome: 'captured', bytes: frame });
});
