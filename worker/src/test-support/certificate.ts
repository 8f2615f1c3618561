import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
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

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const TRUE = der(0x01, Buffer.from([0xff]));
const AUTHORITY = sequence(oid('551d13'), TRUE, der(0x04, sequence(TRUE)));

export interface Certificate {
  key: string;
  cert: string;
}

export interface Authority extends Certificate {
  name: string;
}

/** Creates a self-signed certificate for one host name. */
export function selfSigned(host: string): Certificate {
  return issue(host, [altNameOf(host)]);
}

/** Creates an authority, which signs certificates. */
export function createAuthority(name: string): Authority {
  return { name, ...issue(name, [AUTHORITY]) };
}

/** Creates a certificate for one host, by name or IPv4 address. */
export function signedBy(authority: Authority, host: string): Certificate {
  return issue(host, [altNameOf(host)], authority);
}

function altNameOf(host: string): Buffer {
  const name = isIPv4(host)
    ? der(0x87, Buffer.from(host.split('.').map(Number)))
    : der(0x82, Buffer.from(host));
  return sequence(oid('551d11'), der(0x04, sequence(name)));
}

let lastSerial = 1;

function issue(subject: string, extensions: Buffer[], issuer?: Authority): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  lastSerial += 1;
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([lastSerial])),
    ECDSA_SHA256,
    nameOf(issuer?.name ?? subject),
    sequence(utcTime('250101000000Z'), utcTime('491231000000Z')),
    nameOf(subject),
    publicKey,
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', tbs, createPrivateKey(issuer?.key ?? privateKey));
  const cert = sequence(tbs, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature));
  const lines = cert.toString('base64').replace(/(.{64})/g, '$1\n');
  return {
    key: privateKey,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
