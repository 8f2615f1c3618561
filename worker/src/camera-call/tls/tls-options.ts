import { constants } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  DEFAULT_CIPHERS,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
import type { Source, SourceTls } from '@lastframe/shared/cameras/source';

/**
 * Returns the options of a TLS connection to a source's camera. Nothing is set for the process, and
 * no session is resumed, so no source weakens the calls of another.
 * @param host of the camera's URL: a name, or an address without brackets
 */
export function tlsOptionsFor(source: Source, host: string): ConnectionOptions {
  const { servername, insecure }: SourceTls = source.tls ?? {};
  const name = servername || host;
  return {
    host: name,
    servername: sentName(servername ?? name),
    secureContext: contextOf(source),
    checkServerIdentity: checkName,
    ALPNProtocols: ['http/1.1'],
    ...(insecure && { rejectUnauthorized: false }),
  };
}

/** An address, or a common name such as "IP Camera", is checked but cannot be sent (RFC 6066). */
function sentName(name: string): string {
  return isIP(name) === 0 && /^[\w-]+(\.[\w-]+)*$/.test(name) ? name : '';
}

/**
 * Node compares the common name of a certificate without alternative names only with host names,
 * but cameras that sign their own have their address there.
 */
function checkName(name: string, certificate: PeerCertificate): Error | undefined {
  const isNamed = certificate.subjectaltname === undefined && certificate.subject.CN === name;
  return isNamed ? undefined : checkServerIdentity(name, certificate);
}

const contexts = new WeakMap<object, SecureContext>();

/** A new context for each call would take a fifth of its CPU; with 140 certificates in `ca`, 70%. */
function contextOf(source: Source): SecureContext {
  // A redirect's target is called under a copy of its source.
  const key = source.tls ?? source;
  const known = contexts.get(key);
  if (known) return known;
  const context = createSecureContext(contextOptions(source.tls ?? {}));
  contexts.set(key, context);
  return context;
}

function contextOptions({ ca, minVersion, legacy }: SourceTls): SecureContextOptions {
  const isOldVersion = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  return {
    // Partial: the camera's own certificate or an intermediate one will do.
    ...(ca !== undefined && { ca, allowPartialTrustChain: true }),
    ...(minVersion && { minVersion }),
    // OpenSSL has these versions at its lowest security level only.
    ...(isOldVersion && { ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` }),
    ...(legacy && LEGACY),
  };
}

/**
 * All ciphers that OpenSSL has and that need a certificate, Node's own first. Those with DHE are
 * last: OpenSSL fails if the camera then has a key of fewer than 1024 bits.
 */
const LEGACY_CIPHERS = [
  ...DEFAULT_CIPHERS.split(':').filter((cipher) => !cipher.startsWith('!')),
  'ALL:!aNULL:!eNULL:!PSK:!SRP:+DHE:@SECLEVEL=0',
].join(':');

const LEGACY: SecureContextOptions = {
  ciphers: LEGACY_CIPHERS,
  // Without the default's post-quantum key, the first message fits into one packet, and some old
  // cameras read no further.
  ecdhCurve: 'X25519:P-256:X448:P-384:P-521:ffdhe2048:ffdhe3072:secp256k1:secp224r1:prime192v1',
  // Servers without RFC 5746.
  secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
};
