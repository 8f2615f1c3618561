import { describe, expect, it } from 'vitest';
import {
  call,
  callOnTime,
  cameraAt,
  neverAborted,
  prepareCameraCall,
} from '../test-support/calls.ts';
import { message, ok, startCamera } from '../test-support/camera-server.ts';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { image } from '../test-support/images.ts';
import { createByteBudget } from './byte-budget.ts';
import { createPrepareCall } from './prepare-call.ts';

const jpeg = image('jpeg');

describe('the deadline', () => {
  const timedOut = { outcome: 'failed', status: 504 };

  it('O: ends a call to a silent camera', async () => {
    const server = await startCamera(() => {});
    const beganMs = performance.now();
    expect(await call(server, cameraAt(server, { timeoutMs: 200 }))).toMatchObject(timedOut);
    expect(performance.now() - beganMs).toBeGreaterThan(190);
  });

  it('O: ends a call whose body drips', async () => {
    const server = await startCamera((socket) => {
      socket.write(message(['HTTP/1.1 200 OK', 'Content-Length: 100000']));
      const drip = setInterval(() => socket.write('x'), 10);
      socket.on('close', () => clearInterval(drip));
    });
    expect(await callOnTime(server, cameraAt(server, { timeoutMs: 250 }))).toMatchObject(timedOut);
  });

  it.each(['http', 'https'])('L2: abandons %s that does not connect in time', async (scheme) => {
    // TCP connects, but the TLS handshake is never answered.
    const server = await startCamera(() => {});
    const startAllowanceMs = scheme === 'https' ? 200 : 1;
    const camera = testCamera(
      `${scheme}://127.0.0.1:${server.port}/`,
      testSource({ startAllowanceMs }),
    );
    const prepared = await prepareCameraCall(camera, startAllowanceMs, neverAborted);
    if (prepared.outcome === 'connected') prepared.call.destroy();
    else expect(prepared).toMatchObject(timedOut);
    if (scheme === 'https') {
      const reason = expect.stringMatching(/^no TLS handshake .* 200 ms.*\(START_ALLOWANCE\)/);
      expect(prepared).toMatchObject({ reason, error: 'connection_timeout' });
    }
    await server.allClosed();
  });

  it.each([
    ['its permit came late', 2000, 0],
    ['its own timers were late', 4000, 2000],
    ['both', 3000, 1000],
  ])('does not blame a camera when %s', async (_, withinShare, lateMs) => {
    const server = await startCamera(() => {});
    const prepare = createPrepareCall(createByteBudget(1024), () => undefined, {
      since: () => () => lateMs / 10,
    });
    const source = testSource({ startAllowanceMs: 400 });
    const camera = testCamera(`https://127.0.0.1:${server.port}/`, source);
    const outcomeWithin = async (withinMs: number) =>
      (await prepare(camera, withinMs, neverAborted)).outcome;
    expect(await outcomeWithin(withinShare / 10)).toBe('late');
    expect(await outcomeWithin(withinShare / 10 + 10)).toBe('failed');
  });
});

describe('closing', () => {
  it('aborts a call in its body', async () => {
    const closing = new AbortController();
    const server = await startCamera((socket) => {
      socket.write(message(['HTTP/1.1 200 OK', 'Content-Length: 100'], 'x'));
      closing.abort();
    });
    expect(await call(server, cameraAt(server), closing.signal)).toEqual({ outcome: 'aborted' });
  });

  it('aborts a connection that is not established yet', async () => {
    const closing = new AbortController();
    const server = await startCamera(() => {});
    const camera = testCamera(`https://127.0.0.1:${server.port}/`);
    const prepared = prepareCameraCall(camera, 4000, closing.signal);
    await server.roundTrip();
    closing.abort();
    expect(await prepared).toEqual({ outcome: 'aborted' });
    await server.allClosed();
  });

  it('starts no call afterwards, and leaves no rejection unhandled', async () => {
    for (const url of ['http://10.0.0.1/', 'http://no-such-host.invalid/']) {
      const prepared = await prepareCameraCall(testCamera(url), 4000, AbortSignal.abort());
      expect(prepared).toEqual({ outcome: 'aborted' });
    }
    // An unhandled rejection would fail the run.
    await new Promise(setImmediate);
  });
});

describe('connecting', () => {
  it('fails for a refused address, without a connection', async () => {
    const server = await startCamera(() => {});
    for (const host of ['127.0.0.1', 'localhost']) {
      const camera = testCamera(`http://${host}:${server.port}/`, testSource({ networks: [] }));
      const prepared = await prepareCameraCall(camera, 4000, neverAborted);
      expect(prepared).toMatchObject({ outcome: 'failed', status: 403 });
    }
    await server.roundTrip();
    expect(server.connections).toBe(0);
  });

  it('succeeds for a name whose address is in an allowed network', async () => {
    const server = await startCamera((socket) => socket.write(ok(jpeg)));
    const camera = testCamera(`http://localhost:${server.port}/`);
    expect(await call(server, camera)).toMatchObject({ outcome: 'captured' });
  });

  it('fails on a closed port', async () => {
    const prepared = await prepareCameraCall(testCamera('http://127.0.0.1:1/'), 4000, neverAborted);
    const reason = 'the camera refused the connection';
    expect(prepared).toMatchObject({
      outcome: 'failed',
      status: 502,
      reason,
      error: 'connection_refused',
    });
  });

  it('fails on a header that HTTP does not allow, and closes the connection', async () => {
    const server = await startCamera(() => {});
    const camera = cameraAt(server, { headers: { Authorization: 'se\ncret' } });
    const result = await call(server, camera);
    expect(result).toMatchObject({ outcome: 'failed', status: 502 });
    expect(JSON.stringify(result)).not.toMatch(/secret|cret|127/);
  });
});
