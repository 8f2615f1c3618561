import type { Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import type { SourceTls } from '@lastframe/shared/cameras/source';
import { describe, expect, it } from 'vitest';
import { call, neverAborted, prepareCameraCall } from '../../test-support/calls.ts';
import { ok, startCamera } from '../../test-support/camera-server.ts';
import { testCamera, testSource } from '../../test-support/cameras.ts';
import { selfSigned } from '../../test-support/certificate.ts';
import { image } from '../../test-support/images.ts';
import { startTcpCamera } from '../../test-support/tls-camera.ts';
import { explainTlsError } from './tls-error.ts';

/** Calls a camera that does this with the client's first message. */
async function reasonAfter(onHello: (tcp: Socket) => void, tls: SourceTls = {}) {
  const server = await startTcpCamera((tcp) => tcp.once('data', () => onHello(tcp)));
  const source = testSource({ tls: { insecure: true, ...tls } });
  const result = await call(server, testCamera(`https://127.0.0.1:${server.port}/`, source));
  expect(result).toMatchObject({ outcome: 'failed', status: 502 });
  const { reason, error } = result as { reason: string; error: string };
  expect(reason).toContain('camera');
  expect(reason).not.toMatch(/127\.0\.0\.1|ERR_|E[A-Z]{4}|SSL routines|0A0/);
  return { reason, error };
}

const alert = (number: number) => (tcp: Socket) =>
  tcp.end(Buffer.from([21, 3, 3, 0, 2, 2, number]));

describe('an alert of the camera is explained', () => {
  it.each<[string, number, SourceTls, RegExp]>([
    ['protocol_version', 70, {}, /does not speak TLSv1\.2 or newer; a lower tls\.minVersion/],
    ['protocol_version', 70, { minVersion: 'TLSv1.1' }, /TLSv1\.1 or newer; a lower tls\.minV/],
    ['protocol_version', 70, { minVersion: 'TLSv1' }, /before TLSv1, which Lastframe does not/],
    ['handshake_failure', 40, {}, /too old or too weak; tls\.legacy accepts old ones/],
    ['insufficient_security', 71, {}, /tls\.legacy accepts old ones/],
    ['handshake_failure', 40, { legacy: true }, /try a lower tls\.minVersion/],
    ['handshake_failure', 40, { legacy: true, minVersion: 'TLSv1' }, /even with tls\.legacy/],
    ['handshake_failure', 40, { minVersion: 'TLSv1.3' }, /not speak TLSv1\.3 or newer/],
    ['unrecognized_name', 112, {}, /host name in its URL; tls\.servername sends another/],
    ['unrecognized_name', 112, { servername: 'cam' }, /not know the name in tls\.servername/],
    ['certificate_required', 116, {}, /requires a client certificate.*not support/],
    ['bad_certificate', 42, {}, /requires a client certificate/],
    ['internal_error', 80, {}, /with the alert "internal error"; an old camera .* tls\.legacy/],
    ['internal_error', 80, { legacy: true }, /with the alert "internal error"$/],
    ['no_application_protocol', 120, {}, /with the alert "no application protocol"/],
    ['bad_certificate_hash_value', 114, {}, /with the alert "number 114"/],
  ])('%s (%d) to a source with %j', async (_, number, tls, reason) => {
    const explained = await reasonAfter(alert(number), tls);
    expect(explained.error).toBe('tls_alert_received');
    expect(explained.reason).toMatch(reason);
  });

  it.each([
    10, 20, 21, 22, 30, 41, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 86, 90, 100, 109, 110, 111, 113,
    115,
  ])('whatever it is: %d', async (number) => {
    expect(await reasonAfter(alert(number))).toMatchObject({ error: 'tls_alert_received' });
  });
});

describe('a port that does not speak https is recognized', () => {
  it.each([
    ['an HTTP error', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['an older HTTP error', 'HTTP/1.0 501 Not Implemented\r\nServer: cam\r\n\r\n<html></html>'],
    ['an error without a status', '<html><h1>400 Bad Request</h1></html>'],
    ['a banner', 'SSH-2.0-dropbear_2019.78\r\n'],
    ['RTSP', 'RTSP/1.0 400 Bad Request\r\n\r\n'],
  ])('by %s', async (_, answer) => {
    expect(await reasonAfter((tcp) => tcp.end(answer))).toEqual({
      reason: expect.stringMatching(/this port does not speak https; if it speaks http, write/),
      error: 'tls_protocol_error',
    });
  });

  it.each<[string, (tcp: Socket) => void]>([
    ['closes', (tcp) => tcp.end()],
    ['resets', (tcp) => tcp.resetAndDestroy()],
    ['closes with a close_notify', (tcp) => tcp.end(Buffer.from([21, 3, 3, 0, 2, 1, 0]))],
  ])('or may be one if the camera %s', async (_, end) => {
    expect(await reasonAfter(end)).toEqual({
      reason: expect.stringMatching(
        /closed the connection during the TLS handshake; does this port speak https\?.*tls\.legacy/,
      ),
      error: 'connection_terminated',
    });
  });
});

describe('a client certificate that the camera requires is named', () => {
  const strict = (version: 'TLSv1.2' | 'TLSv1.3'): TlsOptions => ({
    ...selfSigned('localhost'),
    requestCert: true,
    minVersion: version,
    maxVersion: version,
  });
  const cameraOf = ({ port }: { port: number }) =>
    testCamera(`https://localhost:${port}/`, testSource({ tls: { insecure: true } }));
  const named = {
    outcome: 'failed',
    reason: expect.stringContaining('requires a client certificate, which'),
    error: 'tls_alert_received',
  };

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('with %s', async (version) => {
    const answer = (socket: Socket) => socket.write(ok(image('jpeg')));
    const server = await startCamera(answer, strict(version));
    expect(await call(server, cameraOf(server))).toMatchObject(named);
    expect(server.received).toBe('');
  });

  it('if the camera hangs up before the request', async () => {
    const hungUp = Promise.withResolvers<void>();
    const tlsServer = createServer(strict('TLSv1.3'));
    const server = await startTcpCamera((tcp) => {
      tcp.on('close', () => hungUp.resolve());
      tlsServer.emit('connection', tcp);
    });
    const other = await startCamera(() => {});
    const untilAlerted = async () => {
      await hungUp.promise;
      // Lets the alert arrive.
      for (let n = 0; n < 5; n += 1) await other.roundTrip();
      return undefined;
    };
    const camera = cameraOf(server);
    const result = await prepareCameraCall(camera, 20_000, neverAborted, untilAlerted());
    expect(result).toMatchObject(named);
  });
});

describe('an error of OpenSSL', () => {
  const errorOf = (number: string, text: string, code = 'EPROTO') => {
    const message = `write ${code} 40A:error:0A${number}:SSL routines:some_function:${text}:../ssl/x.c:1:\n`;
    return Object.assign(new Error(message), { code });
  };
  const explain = (error: Error) => explainTlsError(error, { tls: {}, sawCertificate: false });

  it('is read from its text, whatever code Node gives it', () => {
    expect(explain(errorOf('00010B', 'wrong version number'))?.reason).toContain('http://');
    expect(explain(errorOf('00042E', 'tlsv1 alert protocol version'))).toEqual({
      reason: expect.stringContaining('tls.minVersion'),
      error: 'tls_alert_received',
    });
  });

  it.each([
    ['unsupported protocol', 'tls.minVersion'],
    ['wrong ssl version', 'tls.minVersion'],
    ['dh key too small', 'tls.legacy'],
    ['ee key too small', 'tls.legacy'],
    ['ca md too weak', 'tls.legacy'],
    ['no shared cipher', 'tls.legacy'],
    ['unsafe legacy renegotiation disabled', 'tls.legacy'],
    ['wrong signature type', 'tls.legacy'],
    ['wrong curve', 'tls.legacy'],
    ['bad length', 'failed: bad length'],
    ['bad signature', 'failed: bad signature'],
    ['no application protocol', 'failed: no application protocol'],
  ])('%s is explained', (text, reason) => {
    const explained = explain(errorOf('0000FF', text));
    expect(explained).toMatchObject({ error: 'tls_protocol_error' });
    expect(explained?.reason).toContain(reason);
  });

  it('of its other libraries is never an alert', () => {
    const text = '40A:error:030007D0:digital envelope routines:f:unknown security bits:../x.c:1:';
    const error = Object.assign(new Error(text), { code: 'ERR_SSL_UNKNOWN_SECURITY_BITS' });
    expect(explain(error)).toEqual({
      reason: expect.stringContaining('tls.legacy'),
      error: 'tls_protocol_error',
    });
  });

  it('without its text is still one of TLS', () => {
    const error = Object.assign(new Error('?'), { code: 'ERR_SSL_WHATEVER' });
    expect(explain(error)?.error).toBe('tls_protocol_error');
    expect(explain(Object.assign(new Error('?'), { code: 'ECONNRESET' }))).toBeUndefined();
    expect(explain(new Error('?'))).toBeUndefined();
  });
});
