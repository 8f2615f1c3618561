import type { SourceTls } from '@lastframe/shared/cameras/source';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Explanation } from '../explanation.ts';
import { explainCertificateError } from './certificate-error.ts';

export interface TlsErrorContext {
  tls: SourceTls;
  /** The camera had sent its certificate before the error. */
  sawCertificate: boolean;
}

/** Explains an error of TLS or of the camera's certificate; undefined for any other error. */
export function explainTlsError(
  error: unknown,
  { tls, sawCertificate }: TlsErrorContext,
): Explanation | undefined {
  const certificateReason = explainCertificateError(error, tls);
  if (certificateReason) return { reason: certificateReason, error: 'tls_certificate_error' };
  const problem = openSslProblem(error);
  if (problem) {
    return problem.alert === undefined
      ? { reason: explainProblem(problem.text, tls), error: 'tls_protocol_error' }
      : { reason: explainAlert(problem.alert, tls, sawCertificate), error: 'tls_alert_received' };
  }
  const { code } = error as NodeJS.ErrnoException;
  if (!/^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|EPROTO$)/.test(String(code ?? ''))) return undefined;
  return { reason: 'the TLS connection to the camera failed', error: 'tls_protocol_error' };
}

/** OpenSSL numbers an alert that it received as 1000 more than TLS does. */
const ALERT_BASE = 1000;
const SSL_LIBRARY = '0A';

/** Parses OpenSSL's `error:0A000410:SSL routines:<function>:<text>:…`, which Node keeps. */
function openSslProblem(error: unknown): { text: string; alert?: number } | undefined {
  const found = /:error:(..)([0-9A-F]{6}):[^:]*:[^:]*:([^:]*)/.exec(messageOf(error));
  if (!found) return undefined;
  const [, library, hex = '', text = ''] = found;
  const number = Number.parseInt(hex, 16);
  const isAlert = library === SSL_LIBRARY && number >= ALERT_BASE;
  return isAlert ? { text, alert: number - ALERT_BASE } : { text };
}

function explainProblem(text: string, tls: SourceTls): string {
  if (/^(wrong version number|http request|https proxy request|bad record type)$/.test(text)) {
    return "this port does not speak https; if it speaks http, write http:// in the camera's URL";
  }
  if (/(?<!application )protocol|version/.test(text)) return wrongVersion(tls);
  if (OLD_OR_WEAK.test(text)) return tooOld(tls);
  return `the TLS connection to the camera failed: ${text}`;
}

const OLD_OR_WEAK =
  /too small|too weak|security bits|cipher|renegotiation|curve|suitable|sigalg|signature (type|algorithm)/;

function explainAlert(alert: number, tls: SourceTls, sawCertificate: boolean): string {
  if (CLIENT_CERTIFICATE.includes(alert)) return CLIENT_CERTIFICATE_REASON;
  // Ciphers are settled before the camera sends its certificate.
  if (sawCertificate && AFTER_CERTIFICATE.includes(alert)) return PROBABLY_CLIENT_CERTIFICATE;
  if (alert === ALERTS.handshake_failure || alert === ALERTS.insufficient_security) {
    return tooOld(tls);
  }
  if (alert === ALERTS.protocol_version) return wrongVersion(tls);
  if (alert === ALERTS.unrecognized_name) return unknownName(tls);
  const name = Object.entries(ALERTS).find(([, number]) => number === alert)?.[0];
  const words = name?.replaceAll('_', ' ') ?? `number ${alert}`;
  const help = tls.legacy ? '' : '; an old camera may need tls.legacy';
  return `the camera ended the TLS connection with the alert "${words}"${help}`;
}

function wrongVersion({ minVersion = 'TLSv1.2' }: SourceTls): string {
  return minVersion === 'TLSv1'
    ? 'the camera speaks a TLS version before TLSv1, which Lastframe does not'
    : `the camera does not speak ${minVersion} or newer; a lower tls.minVersion allows older versions`;
}

function tooOld(tls: SourceTls): string {
  // Some cameras send the same alert for an unknown version.
  if (tls.minVersion === 'TLSv1.3') return wrongVersion(tls);
  if (!tls.legacy) {
    return "the camera's TLS ciphers, keys or handshake are too old or too weak; tls.legacy accepts old ones";
  }
  return tls.minVersion === 'TLSv1'
    ? 'the camera has no TLS cipher or key that Lastframe can use, even with tls.legacy'
    : 'the camera has no TLS cipher or key that tls.legacy accepts; try a lower tls.minVersion';
}

function unknownName({ servername }: SourceTls): string {
  return servername === undefined
    ? "the camera does not know the host name in its URL; tls.servername sends another one, or none if it is ''"
    : 'the camera does not know the name in tls.servername';
}

const CLIENT_CERTIFICATE_REASON =
  'the camera requires a client certificate, which Lastframe does not support; switch that off in the camera';

const PROBABLY_CLIENT_CERTIFICATE =
  'the camera ended the TLS handshake after sending its certificate: it probably requires a client certificate, which Lastframe does not support';

/** RFC 8446 section 6, and earlier versions of TLS. */
const ALERTS = {
  unexpected_message: 10,
  bad_record_mac: 20,
  decryption_failed: 21,
  record_overflow: 22,
  decompression_failure: 30,
  handshake_failure: 40,
  no_certificate: 41,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  unrecognized_name: 112,
  unknown_psk_identity: 115,
  certificate_required: 116,
  no_application_protocol: 120,
};

/** The camera can only mean the certificate that Lastframe does not have. */
const CLIENT_CERTIFICATE = [
  ALERTS.no_certificate,
  ALERTS.bad_certificate,
  ALERTS.unsupported_certificate,
  ALERTS.certificate_revoked,
  ALERTS.certificate_expired,
  ALERTS.certificate_unknown,
  ALERTS.unknown_ca,
  ALERTS.access_denied,
  ALERTS.certificate_required,
];

/** What servers send in TLS 1.2 if there is no client certificate. */
const AFTER_CERTIFICATE = [ALERTS.handshake_failure, ALERTS.decode_error];
