import type { Socket } from 'node:net';
import type { SourceTls } from '@lastframe/shared/cameras/source';
import { describe, expect, it } from 'vitest';
import { call } from '../../test-support/calls.ts';
import { ok, startCamera } from '../../test-support/camera-server.ts';
import { testCamera, testSource } from '../../test-support/cameras.ts';
import {
  type Certificate,
  createAuthority,
  createCertificate,
  selfSigned,
  signedBy,
} from '../../test-support/certificate.ts';
import { image } from '../../test-support/images.ts';
import { explainCertificateError } from './certificate-error.ts';

const HOST = '127.0.0.1';
const serve = (socket: Socket) => socket.write(ok(image('jpeg')));

/** Calls a camera with this certificate (and the further ones in its PEM), by its address. */
async function callWith(certificate: Certificate, tls?: SourceTls) {
  const old = { ciphers: 'ALL:@SECLEVEL=0', maxVersion: 'TLSv1.2' } as const;
  const server = await startCamera(serve, { ...certificate, ...old });
  const source = testSource(tls && { tls });
  return await call(server, testCamera(`https://${HOST}:${server.port}/`, source));
}

async function reasonFor(certificate: Certificate, tls?: SourceTls): Promise<string> {
  const result = await callWith(certificate, tls);
  expect(result).toMatchObject({ outcome: 'failed', status: 502, error: 'tls_certificate_error' });
  const { reason } = result as { reason: string };
  expect(reason).not.toContain(HOST);
  return reason;
}

const withChain = ({ key, cert }: Certificate, ...chain: Certificate[]) => ({
  key,
  cert: [cert, ...chain.map((above) => above.cert)].join(''),
});

const ca = (...certificates: Certificate[]): SourceTls => ({
  ca: certificates.map(({ cert }) => cert).join(''),
});

const root = createAuthority('root');
const middle = createAuthority('middle', { issuer: root });
const other = createAuthority('other');
const leaf = signedBy(middle, HOST);
const own = selfSigned(HOST);

describe('a certificate is accepted if tls.ca has', () => {
  it.each<[string, Certificate, SourceTls]>([
    ['the self-signed one itself', own, ca(own)],
    ['its authority', signedBy(root, HOST), ca(root)],
    ['its authority among others', signedBy(root, HOST), ca(other, own, root)],
    ['the root of a whole chain', withChain(leaf, middle), ca(root)],
    ['what the chain lacks', leaf, ca(root, middle)],
    ['the intermediate one only', leaf, ca(middle)],
    ['the certificate itself, but not who issued it', leaf, ca(leaf)],
  ])('%s', async (_, certificate, tls) => {
    expect(await callWith(certificate, tls)).toMatchObject({ outcome: 'captured' });
  });
});

describe('a certificate is accepted by name if it has', () => {
  const named = createCertificate('IP Camera', { names: [] });
  const addressOnly = createCertificate(HOST, { names: [] });
  it.each<[string, Certificate, SourceTls]>([
    ['the address of the URL as its common name', addressOnly, {}],
    ['the common name in tls.servername', named, { servername: 'IP Camera' }],
    ['the name in tls.servername', selfSigned('cam.test'), { servername: 'cam.test' }],
    ['the address in tls.servername', selfSigned('192.0.2.7'), { servername: '192.0.2.7' }],
    ['the address of the URL, and no name is sent', own, { servername: '' }],
  ])('%s', async (_, certificate, tls) => {
    const result = await callWith(certificate, { ...ca(certificate), ...tls });
    expect(result).toMatchObject({ outcome: 'captured' });
  });
});

describe('the reason for a refused certificate', () => {
  const expired = createCertificate(HOST, { notAfter: '250201000000Z' });
  const early = createCertificate(HOST, { notBefore: '480101000000Z' });
  const oldRoot = createAuthority('old root', { notAfter: '250201000000Z' });
  const renamed = selfSigned('cam.test');
  const commonName = createCertificate(HOST, { names: ['cam.test'] });
  const weakKey = createCertificate(HOST, { rsaBits: 1024 });
  const weakRoot = createAuthority('weak root', { rsaBits: 2048 });
  const weakHash = createCertificate(HOST, { issuer: weakRoot, hash: 'sha1' });
  const forClients = createCertificate(HOST, { isForClients: true });
  const byNobody = createCertificate(HOST, { issuer: { ...own, name: HOST } });

  it.each<[string, Certificate, SourceTls | undefined, RegExp]>([
    ['is its age', expired, undefined, /has expired; renew it, .* tls\.insecure/],
    ['is its age, though it is in tls.ca', expired, ca(expired), /has expired; renew it/],
    ["is its authority's age", signedBy(oldRoot, HOST), ca(oldRoot), /authority's, has expired/],
    ['is that it is not valid yet', early, ca(early), /not valid yet; check the clocks/],
    ['is its name', renamed, ca(renamed), /for another name; set tls\.servername/],
    ['is its name, where only the common one fits', commonName, ca(commonName), /another name/],
    [
      'is the name in tls.servername',
      own,
      { ...ca(own), servername: 'cam.test' },
      /does not have the name in tls\.servername/,
    ],
    ['is that it is self-signed', own, undefined, /is self-signed; put it into tls\.ca/],
    ['is that another one is in tls.ca', own, ca(renamed), /is not the one in tls\.ca/],
    ['is an unknown authority', withChain(leaf, middle, root), undefined, /unknown authority; put/],
    ['is an unsent root', withChain(leaf, middle), undefined, /unknown authority; put/],
    [
      'is an authority that tls.ca lacks',
      withChain(leaf, middle, root),
      ca(other),
      /was not issued by an authority in tls\.ca/,
    ],
    ['is an incomplete chain', leaf, undefined, /chain is incomplete; put .* into tls\.ca/],
    ['is an incomplete chain for tls.ca', leaf, ca(root), /incomplete; add .* to tls\.ca/],
    ['is a weak key', weakKey, ca(weakKey), /too weak a key or signature; tls\.legacy accepts it/],
    ['is a weak signature', weakHash, ca(weakRoot), /too weak a key or signature; tls\.legacy/],
    ['is its purpose', forClients, ca(forClients), /breaks the rules .* tls\.insecure/],
    ['is an issuer that is not an authority', byNobody, ca(own), /tls\.(insecure|ca)/],
  ])('%s', async (_, certificate, tls, reason) => {
    expect(await reasonFor(certificate, tls)).toMatch(reason);
  });

  it('is not its weakness if tls.legacy is set', async () => {
    for (const [certificate, tls] of [
      [weakKey, ca(weakKey)],
      [weakHash, ca(weakRoot)],
    ] as const) {
      const result = await callWith(certificate, { ...tls, legacy: true });
      expect(result).toMatchObject({ outcome: 'captured' });
    }
  });

  it('is still every other fault if tls.legacy is set', async () => {
    expect(await reasonFor(own, { legacy: true })).toMatch(/self-signed/);
    expect(await reasonFor(expired, { ...ca(expired), legacy: true })).toMatch(/expired/);
    expect(await reasonFor(renamed, { ...ca(renamed), legacy: true })).toMatch(/another name/);
  });

  it('is none of them if tls.insecure is set', async () => {
    for (const certificate of [own, expired, early, renamed, leaf, weakKey, forClients]) {
      const result = await callWith(certificate, { insecure: true });
      expect(result).toMatchObject({ outcome: 'captured' });
    }
  });
});

it.each([
  ['CERT_REVOKED', /revoked/],
  ['CERT_SIGNATURE_FAILURE', /breaks the rules/],
  ['PATH_LENGTH_EXCEEDED', /breaks the rules/],
  ['UNSPECIFIED', /breaks the rules/],
  ['ECONNRESET', undefined],
  ['ERR_SSL_NO_SHARED_CIPHER', undefined],
])('explains the code %s only if it is about a certificate', (code, reason) => {
  const explained = explainCertificateError(Object.assign(new Error(), { code }), {});
  if (reason) expect(explained).toMatch(reason);
  else expect(explained).toBeUndefined();
});
