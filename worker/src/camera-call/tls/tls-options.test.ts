import { getDiffieHellman } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { SourceTls } from '@lastframe/shared/cameras/source';
import { describe, expect, it } from 'vitest';
import { call } from '../../test-support/calls.ts';
import { ok, startCamera } from '../../test-support/camera-server.ts';
import { testCamera, testSource } from '../../test-support/cameras.ts';
import { createCertificate, selfSigned } from '../../test-support/certificate.ts';
import { image } from '../../test-support/images.ts';
import { dhParameters, serverHello, startTcpCamera } from '../../test-support/tls-camera.ts';
import { tlsOptionsFor } from './tls-options.ts';

const jpeg = image('jpeg');
const rsa = createCertificate('localhost', { rsaBits: 2048 });
const ec = selfSigned('localhost');
const LOWEST = { ciphers: 'ALL:@SECLEVEL=0' };

async function startTlsCamera(options: TlsOptions) {
  const names: unknown[] = [];
  const versions: unknown[] = [];
  const server = await startCamera((socket: Socket) => {
    names.push((socket as TLSSocket).servername);
    versions.push((socket as TLSSocket).getProtocol());
    socket.write(ok(jpeg));
  }, options);
  const callWith = (tls: SourceTls, host = 'localhost') =>
    call(server, testCamera(`https://${host}:${server.port}/`, testSource({ tls })));
  return { callWith, names, versions };
}

const captured = { outcome: 'captured' };
const failedWith = (reason: string) => ({
  outcome: 'failed',
  status: 502,
  reason: expect.stringContaining(reason),
});

describe('an old version of TLS', () => {
  it.each([
    ['TLSv1', 'TLSv1'],
    ['TLSv1.1', 'TLSv1.1'],
    ['TLSv1.1', 'TLSv1'],
  ] as const)('%s is spoken only if minVersion is %s', async (version, minVersion) => {
    const only = { minVersion: version, maxVersion: version, ...LOWEST };
    const { callWith, versions } = await startTlsCamera({ ...rsa, ...only });
    const hint = failedWith('a lower tls.minVersion');
    expect(await callWith({ ca: rsa.cert })).toMatchObject(hint);
    expect(await callWith({ insecure: true, legacy: true })).toMatchObject(hint);
    for (const tls of [{ ca: rsa.cert }, { insecure: true }, { insecure: true, legacy: true }]) {
      expect(await callWith({ ...tls, minVersion } as SourceTls)).toMatchObject(captured);
    }
    expect(versions).toEqual([version, version, version]);
  });

  it('is not spoken below minVersion', async () => {
    const options = { ...rsa, ...LOWEST, minVersion: 'TLSv1', maxVersion: 'TLSv1' } as const;
    const { callWith } = await startTlsCamera(options);
    const tls = { insecure: true, legacy: true, minVersion: 'TLSv1.1' } as const;
    expect(await callWith(tls)).toMatchObject(failedWith('does not speak TLSv1.1 or newer'));
  });

  it('is not spoken with a camera that speaks a newer one', async () => {
    const { callWith, versions } = await startTlsCamera(rsa);
    const tls = { insecure: true, legacy: true, minVersion: 'TLSv1' } as const;
    expect(await callWith(tls)).toMatchObject(captured);
    expect(versions).toEqual(['TLSv1.3']);
  });

  it('may be refused by minVersion', async () => {
    const { callWith } = await startTlsCamera({ ...rsa, maxVersion: 'TLSv1.2' });
    const tls = { insecure: true, minVersion: 'TLSv1.3' } as const;
    expect(await callWith(tls)).toMatchObject(failedWith('does not speak TLSv1.3 or newer'));
    expect(await callWith({ ...tls, minVersion: 'TLSv1.2' })).toMatchObject(captured);
  });
});

describe('with legacy, and only then, a camera may have', () => {
  it.each<[string, TlsOptions]>([
    [
      'a short Diffie-Hellman key',
      { ...rsa, ciphers: 'DHE:@SECLEVEL=0', dhparam: dhParameters(getDiffieHellman('modp2')) },
    ],
    ['signatures with SHA-1', { ...rsa, ciphers: 'ECDHE:@SECLEVEL=0', sigalgs: 'RSA+SHA1' }],
    ['an old curve', { ...rsa, ciphers: 'ECDHE:@SECLEVEL=0', ecdhCurve: 'prime192v1' }],
    ['a cipher that Node does not offer', { ...rsa, ciphers: 'AES128-CCM8:@SECLEVEL=0' }],
  ])('%s', async (_, options) => {
    const { callWith } = await startTlsCamera({ ...options, maxVersion: 'TLSv1.2' });
    const tls = { ca: rsa.cert };
    expect(await callWith(tls)).toMatchObject(failedWith('tls.legacy accepts old ones'));
    expect(await callWith({ ...tls, legacy: true })).toMatchObject(captured);
  });

  it('a choice of ciphers without Diffie-Hellman, whose key may be too short', async () => {
    const chosen: string[] = [];
    const server = await startCamera(
      (socket) => {
        chosen.push((socket as TLSSocket).getCipher().name);
        socket.write(ok(jpeg));
      },
      {
        ...rsa,
        maxVersion: 'TLSv1.2',
        ciphers: 'DHE-RSA-AES128-GCM-SHA256:AES128-SHA:@SECLEVEL=0',
        dhparam: dhParameters(getDiffieHellman('modp14')),
        honorCipherOrder: false,
      },
    );
    for (const tls of [{ ca: rsa.cert }, { ca: rsa.cert, legacy: true }] as const) {
      await call(server, testCamera(`https://localhost:${server.port}/`, testSource({ tls })));
    }
    expect(chosen).toEqual(['DHE-RSA-AES128-GCM-SHA256', 'AES128-SHA']);
  });

  it('no secure renegotiation', async () => {
    // The alert shows that the client went on.
    const server = await startTcpCamera((tcp) => {
      tcp.once('data', () => tcp.end(Buffer.concat([serverHello(), ALERT_INTERNAL_ERROR])));
    });
    const reasonWith = async (tls: SourceTls) => {
      const camera = testCamera(`https://127.0.0.1:${server.port}/`, testSource({ tls }));
      return await call(server, camera);
    };
    expect(await reasonWith({ insecure: true })).toMatchObject(failedWith('tls.legacy'));
    const goesOn = failedWith('the alert "internal error"');
    expect(await reasonWith({ insecure: true, legacy: true })).toMatchObject(goesOn);
  });
});

const ALERT_INTERNAL_ERROR = Buffer.from([21, 3, 3, 0, 2, 2, 80]);

describe('the server name', () => {
  it.each([
    ['the host of the URL', 'localhost', {}, 'localhost'],
    ['none for an address', '127.0.0.1', {}, false],
    ['tls.servername', '127.0.0.1', { servername: 'cam.test' }, 'cam.test'],
    ['none if that is empty', 'localhost', { servername: '' }, false],
    ['none if that is an address', 'localhost', { servername: '192.0.2.7' }, false],
    ['none if that is only a common name', 'localhost', { servername: 'IP Camera' }, false],
  ])('is %s', async (_, host, tls, sent) => {
    const { callWith, names } = await startTlsCamera(ec);
    expect(await callWith({ insecure: true, ...tls }, host)).toMatchObject(captured);
    expect(names).toEqual([sent]);
  });
});

describe('another source', () => {
  it("has none of a source's options, even for the same camera", async () => {
    const { callWith } = await startTlsCamera({
      ...rsa,
      ...LOWEST,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.2',
    });
    const weak = { insecure: true, legacy: true, minVersion: 'TLSv1' } as const;
    const results = await Promise.all([
      callWith(weak),
      callWith({}),
      callWith(weak),
      callWith({ ca: ec.cert }),
      callWith({ ca: rsa.cert, servername: 'cam.test' }),
    ]);
    const refused = { outcome: 'failed', error: 'tls_certificate_error' };
    expect(results).toMatchObject([captured, refused, captured, refused, refused]);
  });

  it('shares no secure context, while the calls of one source do', () => {
    const source = testSource({ tls: { insecure: true } });
    const contextOf = (of: typeof source) => tlsOptionsFor(of, 'localhost').secureContext;
    expect(contextOf(source)).toBe(contextOf(source));
    expect(contextOf(source)).not.toBe(contextOf(testSource({ tls: { insecure: true } })));
    expect(contextOf(testSource())).not.toBe(contextOf(testSource()));
  });
});

it("a legacy camera's first message fits into one packet", async () => {
  const { promise: size, resolve } = Promise.withResolvers<number>();
  const server = await startTcpCamera((tcp) => {
    tcp.once('data', (bytes) => {
      resolve(bytes.length);
      tcp.destroy();
    });
  });
  const source = testSource({ tls: { insecure: true, legacy: true } });
  await call(server, testCamera(`https://127.0.0.1:${server.port}/`, source));
  expect(await size).toBeLessThan(1200);
});
