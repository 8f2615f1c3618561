import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { call, cameraAt, punctual } from '../test-support/calls.ts';
import { message, ok, startCamera } from '../test-support/camera-server.ts';
import { testSource } from '../test-support/cameras.ts';
import { image } from '../test-support/images.ts';
import { createByteBudget } from './byte-budget.ts';
import { createPrepareCall } from './prepare-call.ts';
import { guardResponse } from './response/response-guard.ts';

const jpeg = image('jpeg');
const START = jpeg.subarray(0, -2);
const CHUNKED = message(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked']);
/** The first chunk of an image that goes on. */
const BEGUN = Buffer.concat([
  CHUNKED,
  Buffer.from(`${START.length.toString(16)}\r\n`),
  START,
  Buffer.from('\r\n'),
]);
const HEAD = 'HTTP/1.1 200 OK\r\n';
const MULTIPART = message(['HTTP/1.1 200 OK', 'Content-Type: multipart/x-mixed-replace']);
const MIB = 1024 ** 2;

/** Writes endlessly until the other side hangs up. */
function pour(socket: Socket, piece: string): void {
  const bytes = Buffer.from(piece);
  const more = () => {
    while (socket.writable && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

describe('a response that would only cost CPU', () => {
  it.each([
    ['1xx responses', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'too many 1xx'],
    ['early hints', '', `HTTP/1.1 103 Hints\r\nLink: ${'x'.repeat(9000)}\r\n\r\n`, 'too many 1xx'],
    ['line ends before the head', '', '\r\n', 'padding'],
    ['tiny headers', HEAD, 'a:\r\n', 'head of the camera'],
    ['spaces in a header', `${HEAD}a: `, ' ', 'head of the camera'],
    ['line ends between chunks', BEGUN, '\r\n', 'padding'],
    ['one-byte chunks', BEGUN, '1\r\nx\r\n', 'padding'],
    ['zeros before the size of a chunk', BEGUN, '0', 'chunks'],
    ['chunk extensions', BEGUN, `1;${'a'.repeat(500)}\r\nx\r\n`, 'padding'],
    ['one chunk extension', Buffer.concat([BEGUN, Buffer.from('1;')]), 'a', 'chunks'],
    ['trailers', Buffer.concat([BEGUN, Buffer.from('0\r\n')]), 'a:\r\n', 'truncated'],
    ['parts of an MJPEG stream', MULTIPART, '--a\r\n\r\n', 'MJPEG'],
    ['lines before a part', `${MULTIPART}--a\r\n`, 'a\n', 'MJPEG'],
    ['empty lines before the first part', MULTIPART, '\n', 'MJPEG'],
    ['bytes in a line before a part', MULTIPART, 'a', 'MJPEG'],
  ])('is cut off long before its deadline: endless %s', async (_, first, piece, reason) => {
    let sentBytes = 0;
    const server = await startCamera((socket) => {
      socket.on('close', () => {
        sentBytes = socket.bytesWritten;
      });
      socket.write(first);
      pour(socket, piece.repeat(Math.ceil(20_000 / piece.length)));
    });
    const result = await call(server, cameraAt(server, { timeoutMs: 60_000 }));
    expect(result).toMatchObject({ outcome: 'failed', status: 502 });
    expect(result).toHaveProperty('reason', expect.stringContaining(reason));
    // Including what the kernel buffers.
    expect(sentBytes).toBeLessThan(32 * MIB);
  });

  it('is cut off when it arrives in thousands of tiny packets', async () => {
    const server = await startCamera((socket) => {
      socket.setNoDelay(true);
      socket.write(message(['HTTP/1.1 200 OK', 'Content-Length: 1000000'], START));
      const drip = () => socket.writable && socket.write('x', () => setImmediate(drip));
      drip();
    });
    const result = await call(server, cameraAt(server, { timeoutMs: 60_000 }));
    expect(result).toMatchObject({ reason: expect.stringContaining('small pieces') });
  });
});

it('cuts a camera off once, however much of its data is still read', () => {
  const socket = new Socket().on('error', () => {});
  const destroy = vi.spyOn(socket, 'destroy');
  const guard = guardResponse(socket);
  guard.allowData();
  for (let n = 0; n < 10_000; n += 1) guard.countBody(1);
  expect(destroy).toHaveBeenCalledTimes(1);
});

it.each([64, 100, 512, 1460])('reads a frame in chunks of %d bytes', async (size) => {
  const frame = Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(MIB, 0xaa), jpeg.subarray(-2)]);
  const server = await startCamera((socket) => {
    socket.write(CHUNKED);
    for (let at = 0; at < frame.length; at += size) {
      const chunk = frame.subarray(at, at + size);
      socket.write(`${chunk.length.toString(16)}\r\n`);
      socket.write(chunk);
      socket.write('\r\n');
    }
    socket.write('0\r\n\r\n');
  });
  const result = await call(server, cameraAt(server, { timeoutMs: 60_000 }));
  expect(result).toMatchObject({ outcome: 'captured' });
});

it('reads a frame after a few 1xx responses', async () => {
  const server = await startCamera((socket) => {
    for (let n = 0; n < 5; n += 1)
      socket.write(message(['HTTP/1.1 103 Early Hints', 'Link: </x>']));
    socket.write(ok(jpeg));
  });
  expect(await call(server)).toMatchObject({ outcome: 'captured' });
});

it.each(['000', '001', '099', '600', '999'])('fails at once on status %s', async (status) => {
  const server = await startCamera((socket) =>
    socket.write(message([`HTTP/1.1 ${status} Odd`, `Content-Length: ${jpeg.length}`], jpeg)),
  );
  const result = await call(server, cameraAt(server, { timeoutMs: 60_000 }));
  const reason = 'the camera responded with an invalid HTTP status';
  expect(result).toMatchObject({ outcome: 'failed', status: 502, reason });
  expect(result).not.toHaveProperty('receivedStatus');
});

describe('when slow, large bodies hold the whole byte budget', () => {
  it('reads a small frame, of their own source or another', async () => {
    // A thousandth of a worker's budget and of its largest frames.
    const prepare = createPrepareCall(createByteBudget(256 * 1024), () => undefined, punctual);
    const part = Buffer.concat([START, Buffer.alloc(7 * 1024 - START.length, 0xaa)]);
    let dripping = 0;
    const slow = await startCamera((socket) => {
      socket.write(message(['HTTP/1.1 200 OK', 'Content-Length: 8192']));
      socket.write(part, () => {
        dripping += 1;
      });
    });
    const good = await startCamera((socket) => socket.write(ok(jpeg)));
    const source = testSource({ timeoutMs: 60_000 });
    const controller = new AbortController();
    const start = async (server: typeof slow, of = source) => {
      const prepared = await prepare(cameraAt(server, of), 20_000, controller.signal);
      if (prepared.outcome !== 'connected') throw new Error('not connected');
      return prepared.call.send(controller.signal);
    };
    const flood = Array.from({ length: 40 }, () => start(slow));
    await expect.poll(() => dripping, { timeout: 20_000 }).toBe(40);
    for (const rules of [source, testSource({ timeoutMs: 60_000 })]) {
      expect(await start(good, rules)).toMatchObject({ outcome: 'captured' });
    }
    controller.abort();
    const outcomes = (await Promise.all(flood)).map(({ outcome }) => outcome);
    // Evicted calls blame no camera.
    expect(outcomes).toContain('no room');
    expect(outcomes.every((outcome) => outcome === 'no room' || outcome === 'aborted')).toBe(true);
  });
});
