import type { Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { call, neverAborted, prepareCameraCall } from '../../test-support/calls.ts';
import { type CameraServer, ok, startCamera } from '../../test-support/camera-server.ts';
import { testCamera, testSource } from '../../test-support/cameras.ts';
import { selfSigned } from '../../test-support/certificate.ts';
import { image } from '../../test-support/images.ts';
import { attemptMs } from './open-tcp.ts';

const jpeg = image('jpeg');

describe('TLS', () => {
  const host = 'localhost';

  it('fails on an untrusted certificate', async () => {
    const server = await startCamera(() => {}, selfSigned(host));
    const camera = testCamera(`https://${host}:${server.port}/`);
    expect(await call(server, camera)).toMatchObject({
      outcome: 'failed',
      status: 502,
      reason: "the camera's certificate is self-signed; put it into tls.ca to trust it",
      error: 'tls_certificate_error',
    });
    expect(server.received).toBe('');
  });

  async function startTrusted(): Promise<CameraServer> {
    const certificate = selfSigned(host);
    const defaults = getCACertificates('default');
    setDefaultCACertificates([...defaults, certificate.cert]);
    onTestFinished(() => setDefaultCACertificates(defaults));
    return await startCamera((socket) => socket.write(ok(jpeg)), certificate);
  }

  it('S6: the request has left when send returns', async () => {
    const server = await startTrusted();
    const camera = testCamera(`https://${host}:${server.port}/`);
    const prepared = await prepareCameraCall(camera, 4000, neverAborted);
    if (prepared.outcome !== 'connected') throw new Error(JSON.stringify(prepared));
    const answered = prepared.call.send(neverAborted);
    prepared.call.destroy();
    await answered;
    await expect.poll(() => server.received).toMatch(/^GET .*\r\n\r\n$/s);
  });

  it("sends no byte of the request before send is called, and only to the certificate's host", async () => {
    const server = await startTrusted();
    const camera = testCamera(`https://${host}:${server.port}/`);
    const prepared = await prepareCameraCall(camera, 4000, neverAborted);
    if (prepared.outcome !== 'connected') throw new Error(JSON.stringify(prepared));
    expect(server.received).toBe('');
    expect(await prepared.call.send(neverAborted)).toMatchObject({ outcome: 'captured' });
    const byAddress = testCamera(`https://127.0.0.1:${server.port}/`);
    const reason = expect.stringContaining('is for another name');
    expect(await call(server, byAddress)).toMatchObject({ reason });
  });

  it('verifies nothing for an insecure source, and still sends the server name', async () => {
    const names: unknown[] = [];
    const answer = (socket: Socket) => {
      names.push((socket as TLSSocket).servername);
      socket.write(ok(jpeg));
    };
    const server = await startCamera(answer, selfSigned('other.test'));
    const source = testSource({ tls: { insecure: true } });
    const camera = testCamera(`https://${host}:${server.port}/`, source);
    expect(await call(server, camera)).toMatchObject({ outcome: 'captured' });
    expect(names).toEqual([host]);
  });
});

it('divides the time to start among the addresses of a name', () => {
  expect(attemptMs({ startAllowanceMs: 4000 }, 2)).toBe(1333);
  expect(attemptMs({ startAllowanceMs: 60_000 }, 3)).toBe(15_000);
  expect(attemptMs({ startAllowanceMs: 1000 }, 8)).toBe(250);
});
