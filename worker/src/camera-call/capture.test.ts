import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import {
  call,
  cameraAt,
  neverAborted,
  prepareCameraCall,
  punctual,
} from '../test-support/calls.ts';
import { message, ok, startCamera } from '../test-support/camera-server.ts';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { image } from '../test-support/images.ts';
import { createByteBudget } from './byte-budget.ts';
import { createPrepareCall } from './prepare-call.ts';

const jpeg = image('jpeg');

/** Returns a JPEG with so many more bytes of picture. */
function largeJpeg(moreBytes: number): Buffer {
  return Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(moreBytes, 0xaa), jpeg.subarray(-2)]);
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
}

/** Writes endlessly until the connection closes. */
function pour(socket: Socket, piece: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

it('refuses the largest body when other calls use up the budget, and releases its bytes again', async () => {
  const room = createByteBudget(jpeg.length + 10);
  const prepare = createPrepareCall(room, () => undefined, punctual);
  const server = await startCamera((socket) => socket.write(ok(jpeg)));
  const capture = async () => {
    const prepared = await prepare(cameraAt(server), 4000, neverAborted);
    if (prepared.outcome !== 'connected') throw new Error('not connected');
    return await prepared.call.send(neverAborted).finally(prepared.call.release);
  };
  // Small bodies of many other cameras, so that this one is the largest.
  const others = Array.from({ length: 11 }, (_, n) => room.open(`camera ${n}`, () => {}));
  for (const other of others) expect(other.reserve(1)).toBe(true);
  expect(await capture()).toEqual({ outcome: 'no room' });
  for (const other of others) other.release();
  expect(await capture()).toMatchObject({ outcome: 'captured' });
  expect(await capture()).toMatchObject({ outcome: 'captured' });
});

describe('a process that was too busy to read a response in time', () => {
  const TIMEOUT_MS = 500;
  /** Stops this process, and so its timers and sockets, for longer than the camera has. */
  const pause = () =>
    void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TIMEOUT_MS + 200);
  const callWhile = async (answer: (socket: Socket) => void, maxFrameBytes = 1024 ** 2) => {
    const server = await startCamera((socket) => {
      answer(socket);
      pause();
    });
    return await call(server, cameraAt(server, { timeoutMs: TIMEOUT_MS, maxFrameBytes }));
  };

  it('reads it nevertheless', async () => {
    expect(await callWhile((socket) => socket.write(ok(jpeg)))).toMatchObject({
      outcome: 'captured',
    });
  });

  it('does not blame the camera for what it cannot read at once', async () => {
    const large = largeJpeg(32 * 1024 ** 2);
    expect(await callWhile((socket) => socket.write(ok(large)), 64 * 1024 ** 2)).toEqual({
      outcome: 'late',
    });
  });

  it('blames a camera that has sent nothing', async () => {
    expect(await callWhile(() => {})).toMatchObject({ outcome: 'failed', status: 504 });
  });
});

describe('a call', () => {
  it('captures the image and sniffs its type, whatever the header says', async () => {
    const server = await startCamera((socket) => socket.write(ok(jpeg, 'Content-Type: text/html')));
    const capture = await call(server);
    expect(capture).toMatchObject({ outcome: 'captured', bytes: jpeg, contentType: 'image/jpeg' });
  });

  it('S: sends no byte before send is called', async () => {
    const server = await startCamera((socket) => socket.write(ok(jpeg)));
    const prepared = await prepareCameraCall(cameraAt(server), 4000, neverAborted);
    if (prepared.outcome !== 'connected') throw new Error('not connected');
    await server.roundTrip();
    expect(server.received).toBe('');
    expect(await prepared.call.send(neverAborted)).toMatchObject({ outcome: 'captured' });
    expect(server.connections).toBe(1);
    expect(server.received).not.toBe('');
  });

  it('S6: has left when send returns, so that nothing can delay it', async () => {
    const server = await startCamera(() => {});
    const prepared = await prepareCameraCall(cameraAt(server), 4000, neverAborted);
    if (prepared.outcome !== 'connected') throw new Error('not connected');
    const answered = prepared.call.send(neverAborted);
    prepared.call.destroy();
    // It was given up here: the camera is not to blame.
    expect(await answered).toEqual({ outcome: 'late' });
    await expect.poll(() => server.received).toMatch(/^GET .*\r\n\r\n$/s);
    await server.allClosed();
  });

  it('that is never sent closes its connection without sending a byte', async () => {
    const server = await startCamera(() => {});
    const prepared = await prepareCameraCall(cameraAt(server), 4000, neverAborted);
    if (prepared.outcome !== 'connected') throw new Error('not connected');
    await server.roundTrip();
    prepared.call.destroy();
    await server.allClosed();
    expect(server.received).toBe('');
  });

  it('is one GET with the expected headers only', async () => {
    const server = await startCamera((socket) => socket.write(ok(jpeg)));
    const headers = { Authorization: 'Bearer secret' };
    await call(server, cameraAt(server, { headers }, '/pic%20ture?x=1&y=%2F'));
    const [request, ...fields] = server.received.trim().split('\r\n');
    expect(request).toBe('GET /pic%20ture?x=1&y=%2F HTTP/1.1');
    expect(fields).toContain('Authorization: Bearer secret');
    expect(fields).toContain(`Host: 127.0.0.1:${server.port}`);
    expect(fields).toContain('Accept-Encoding: identity');
    expect(fields).toContain('Connection: close');
    expect(fields).toContain(
      `User-Agent: Lastframe/${packageJson.version} (+https://github.com/lastframe/lastframe)`,
    );
    expect(fields.map((field) => field.split(':')[0]).sort()).toEqual(
      ['Accept', 'Accept-Encoding', 'Authorization', 'Connection', 'Host', 'User-Agent'].sort(),
    );
  });

  it('has each header once, in whatever case its source writes it', async () => {
    const server = await startCamera((socket) => socket.write(ok(jpeg)));
    await call(
      server,
      cameraAt(server, { headers: { 'user-agent': 'Old', ACCEPT: 'image/jpeg' } }),
    );
    expect(server.received.match(/^(user-agent|accept): .*$/gim)).toEqual([
      'user-agent: Old',
      'ACCEPT: image/jpeg',
    ]);
  });

  it('names its fleet in Via, whatever headers the source sets', async () => {
    const server = await startCamera((socket) => socket.write(ok(jpeg)));
    const prepare = createPrepareCall(createByteBudget(1024 ** 2), () => 'lastframe-abc', punctual);
    const camera = cameraAt(server, { headers: { Via: '1.1 somebody' } });
    const prepared = await prepare(camera, 4000, neverAborted);
    if (prepared.outcome !== 'connected') throw new Error('not connected');
    await prepared.call.send(neverAborted);
    expect(server.received.match(/^Via: .*$/gim)).toEqual(['Via: 1.1 lastframe-abc']);
  });

  it('sends the validators of the last frame, and treats 304 as unchanged', async () => {
    const server = await startCamera((socket) =>
      socket.end(message(['HTTP/1.1 304 Not Modified'])),
    );
    const validators = { etag: 'W/"theirs"', lastModified: 'Tue, 22 Sep 2026 10:00:00 GMT' };
    const prepared = await prepareCameraCall(
      cameraAt(server),
      4000,
      neverAborted,
      Promise.resolve(validators),
    );
    if (prepared.outcome !== 'connected') throw new Error('not connected');
    expect(await prepared.call.send(neverAborted)).toMatchObject({ outcome: 'unchanged' });
    expect(server.received).toContain('If-None-Match: W/"theirs"\r\n');
    expect(server.received).toContain('If-Modified-Since: Tue, 22 Sep 2026 10:00:00 GMT\r\n');
    expect(server.connections).toBe(1);
    await server.allClosed();
  });

  it('does not read the body of a 304', async () => {
    const body = message(['HTTP/1.1 304 Not Modified', 'Content-Length: 9999'], '<html>');
    const server = await startCamera((socket) => socket.write(body));
    const validators = Promise.resolve({ etag: '"theirs"' });
    const prepared = await prepareCameraCall(cameraAt(server), 4000, neverAborted, validators);
    if (prepared.outcome !== 'connected') throw new Error('not connected');
    expect(await prepared.call.send(neverAborted)).toMatchObject({ outcome: 'unchanged' });
    await server.allClosed();
  });

  it('fails at once when the camera hangs up while the validators are read', async () => {
    // Resolves once the worker has closed its side, so it has seen the camera hang up.
    const closed = Promise.withResolvers<undefined>();
    const hangUp = createServer((socket) =>
      socket.on('close', () => closed.resolve(undefined)).end(),
    );
    await once(hangUp.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void hangUp.close());
    const { port } = hangUp.address() as AddressInfo;
    const camera = testCamera(`http://127.0.0.1:${port}/`, testSource());
    const prepared = await prepareCameraCall(camera, 4000, neverAborted, closed.promise);
    expect(prepared).toMatchObject({ outcome: 'failed', status: 502 });
  });

  it('fails on a 304 to an unconditional request', async () => {
    const server = await startCamera((socket) =>
      socket.end(message(['HTTP/1.1 304 Not Modified'])),
    );
    expect(await call(server)).toMatchObject({
      outcome: 'failed',
      reason: 'the camera responded with 304',
    });
  });

  it("returns the camera's validators", async () => {
    const server = await startCamera((socket) => socket.write(ok(jpeg, 'ETag: "theirs"')));
    expect(await call(server)).toMatchObject({ validators: { etag: '"theirs"' } });
  });

  it('reads all of a large body that ends with its connection', async () => {
    const body = largeJpeg(3_000_000);
    const server = await startCamera((socket) => socket.end(message(['HTTP/1.1 200 OK'], body)));
    for (let n = 0; n < 10; n += 1) {
      const capture = await call(server);
      expect(capture.outcome).toBe('captured');
      if (capture.outcome === 'captured') expect(capture.bytes.equals(body)).toBe(true);
    }
  });

  it('reads a chunked body after some 1xx responses', async () => {
    const hints = message(['HTTP/1.1 103 Early Hints', 'Link: </x>']);
    const server = await startCamera((socket) => {
      for (const part of [
        hints,
        hints,
        message(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked']),
      ]) {
        socket.write(part);
      }
      socket.write(chunk(jpeg.subarray(0, 100)));
      socket.write(Buffer.concat([chunk(jpeg.subarray(100)), Buffer.from('0\r\n\r\n')]));
    });
    expect(await call(server)).toMatchObject({ outcome: 'captured', bytes: jpeg });
  });
});

describe('rejects', () => {
  const status = (line: string, ...headers: string[]) => message([`HTTP/1.1 ${line}`, ...headers]);
  const withBody = (...headers: string[]) => message(['HTTP/1.1 200 OK', ...headers], 'x');
  it.each([
    ['a redirect to nowhere', status('302 Found', 'Content-Length: 0'), 'responded with 302'],
    ['a 304', status('304 Not Modified'), 'responded with 304'],
    ['a 204', status('204 No Content'), 'responded with 204'],
    ['a 206 without an image', status('206 Partial Content', 'Content-Length: 0'), 'empty body'],
    ['a 401', status('401 Unauthorized', 'Content-Length: 0'), 'responded with 401'],
    ['a 500', status('500 Oops', 'Content-Length: 0'), 'responded with 500'],
    [
      'a 500 with a body that never ends',
      status('500 Oops', 'Content-Length: 99'),
      'responded with 500',
    ],
    ['an empty body', status('200 OK', 'Content-Length: 0'), 'empty body'],
    ['HTML', message(['HTTP/1.1 200 OK', 'Content-Length: 6'], '<html>'), 'sent no JPEG'],
    ['an announced size beyond the limit', withBody('Content-Length: 99999999'), 'larger than'],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), 'not valid HTTP'],
    ['HTTP 0.9', Buffer.from('<html></html>'), 'not valid HTTP'],
    ['giant headers', withBody(`X-Giant: ${'x'.repeat(100_000)}`), 'head of the camera'],
    ['an upgrade', status('101 Switching Protocols', 'Upgrade: x', 'Connection: Upgrade'), ''],
    ['a broken chunk', message(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'], 'x\n'), 'chunks'],
  ])('%s', async (_, bytes, reason) => {
    const server = await startCamera((socket) => socket.write(bytes));
    const camera = cameraAt(server, { timeoutMs: 3000 });
    const capture = await call(server, camera);
    expect(capture).toMatchObject({ outcome: 'failed', status: 502 });
    expect(capture).toHaveProperty('reason', expect.stringContaining(reason));
    expect(capture).toHaveProperty('reason', expect.not.stringContaining('127.0.0.1'));
    expect(server.connections).toBe(1);
    expect(server.received.match(/GET /g)).toHaveLength(1);
  });

  it('no redirect, and does not follow it', async () => {
    const other = await startCamera((socket) => socket.write(ok(jpeg)));
    const location = `http://127.0.0.1:${other.port}/`;
    const head = ['HTTP/1.1 307 Temporary Redirect', `Location: ${location}`, 'Content-Length: 0'];
    const server = await startCamera((socket) => socket.write(message(head)));
    expect(await call(server)).toEqual({ outcome: 'redirected', statusCode: 307, location });
    await other.roundTrip();
    expect(other.connections).toBe(0);
  });

  it.each(['429 Too Many Requests', '503 Service Unavailable'])(
    'L10: %s and passes on its Retry-After, at most an hour',
    async (line) => {
      const head = [`HTTP/1.1 ${line}`, 'Retry-After: 31536000', 'Content-Length: 0'];
      const server = await startCamera((socket) => socket.write(message(head)));
      expect(await call(server)).toMatchObject({ outcome: 'failed', retryAfterMs: 3_600_000 });
    },
  );

  it.each([
    ['before its response', ''],
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['in its body', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc'],
    ['between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n'],
  ])('a connection closed %s, without a retry', async (_, text) => {
    for (const close of ['end', 'resetAndDestroy'] as const) {
      const server = await startCamera((socket) => socket.write(text, () => socket[close]()));
      expect(await call(server)).toMatchObject({ outcome: 'failed', status: 502 });
      await server.roundTrip();
      expect(server.connections).toBe(1);
    }
  });

  it('half an image that ends with its connection', async () => {
    const half = message(['HTTP/1.1 200 OK'], jpeg.subarray(0, jpeg.length / 2));
    const server = await startCamera((socket) => socket.end(half));
    const capture = await call(server);
    expect(capture).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('trunc') });
  });

  it.each([
    ['in chunks', 'Transfer-Encoding: chunked', chunk],
    ['until the end of the connection', 'X: y', (bytes: Buffer) => bytes],
  ])('an endless image at the size limit: %s', async (_, framing, frame) => {
    const server = await startCamera((socket) => {
      socket.write(message(['HTTP/1.1 200 OK', framing]));
      socket.write(frame(jpeg.subarray(0, -2)));
      pour(socket, frame(Buffer.alloc(1024, 0xaa)));
    });
    const capture = await call(server, cameraAt(server, { maxFrameBytes: 100_000 }));
    expect(capture).toMatchObject({ reason: expect.stringContaining('larger than 100000') });
  });

  it('endless headers and endless 1xx responses', async () => {
    for (const piece of ['X: y\r\n', 'HTTP/1.1 100 Continue\r\n\r\n']) {
      const server = await startCamera((socket) => {
        if (piece.startsWith('X')) socket.write('HTTP/1.1 200 OK\r\n');
        pour(socket, Buffer.from(piece.repeat(50)));
      });
      expect(await call(server, cameraAt(server, { timeoutMs: 500 }))).toMatchObject({
        outcome: 'failed',
      });
    }
  });
});
