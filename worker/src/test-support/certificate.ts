import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? Buffer.from([body.length])
      : Buffer.from([0x82, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
};
const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const utcTime = (text: string) => der(0x17, Buffer.from(text));
const nameOf = (text: string) =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))));

const NULL = der(0x05);
const TRUE = der(0x01, Buffer.from([0xff]));
const AUTHORITY = sequence(oid('551d13'), TRUE, der(0x04, sequence(TRUE)));
const FOR_CLIENTS = sequence(oid('551d25'), der(0x04, sequence(oid('2b06010505070302'))));

const ALGORITHMS = {
  ec: { sha256: sequence(oid('2a8648ce3d040302')), sha1: sequence(oid('2a8648ce3d0401')) },
  rsa: {
    sha256: sequence(oid('2a864886f70d01010b'), NULL),
    sha1: sequence(oid('2a864886f70d010105'), NULL),
  },
};

export interface Certificate {
  key: string;
  cert: string;
}

export interface Authority extends Certificate {
  name: string;
}

export interface CertificateOptions {
  /** Without one, the certificate is self-signed. */
  issuer?: Authority;
  /** Alternative names, by default the subject; each a host name or an IPv4 address. */
  names?: string[];
  /** As `YYMMDDhhmmssZ`. */
  notBefore?: string;
  notAfter?: string;
  /** An RSA key of this length instead of one on P-256. */
  rsaBits?: number;
  hash?: 'sha256' | 'sha1';
  /** The certificate may only be used by clients. */
  isForClients?: boolean;
}

/** Creates a certificate for one host. */
export function createCertificate(host: string, options: CertificateOptions = {}): Certificate {
  const { names = [host], isForClients } = options;
  const extensions = [
    ...(names.length > 0 ? [altNames(names)] : []),
    ...(isForClients ? [FOR_CLIENTS] : []),
  ];
  return issue(host, extensions, options);
}

/** Creates a self-signed certificate for one host name. */
export function selfSigned(host: string): Certificate {
  return createCertificate(host);
}

/** Creates an authority, which signs certificates. */
export function createAuthority(name: string, options: CertificateOptions = {}): Authority {
  return { name, ...issue(name, [AUTHORITY], options) };
}

/** Creates a certificate for one host, by name or IPv4 address. */
export function signedBy(issuer: Authority, host: string): Certificate {
  return createCertificate(host, { issuer });
}

function altNames(names: readonly string[]): Buffer {
  const encoded = names.map((name) =>
    isIPv4(name)
      ? der(0x87, Buffer.from(name.split('.').map(Number)))
      : der(0x82, Buffer.from(name)),
  );
  return sequence(oid('551d11'), der(0x04, sequence(...encoded)));
}

let lastSerial = 1;

function issue(subject: string, extensions: Buffer[], options: CertificateOptions): Certificate {
  const { issuer, rsaBits, hash = 'sha256' } = options;
  const { notBefore = '250101000000Z', notAfter = '491231000000Z' } = options;
  const { privateKey, publicKey } =
    rsaBits === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: rsaBits });
  const signer = issuer ? createPrivateKey(issuer.key) : privateKey;
  const algorithm = ALGORITHMS[signer.asymmetricKeyType as keyof typeof ALGORITHMS][hash];
  lastSerial += 1;
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([lastSerial])),
    algorithm,
    nameOf(issuer?.name ?? subject),
    sequence(utcTime(notBefore), utcTime(notAfter)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  return { key: pemOf(privateKey), cert: certificatePem(tbs, algorithm, sign(hash, tbs, signer)) };
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function certificatePem(tbs: Buffer, algorithm: Buffer, signature: Buffer): string {
  const cert = sequence(tbs, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = cert.toString('base64').replace(/(.{64})/g, '$1\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
