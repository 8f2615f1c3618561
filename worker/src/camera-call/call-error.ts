import { messageOf } from '@lastframe/shared/process/errors';

/** Why a camera was cut off before its response was complete. */
export type CutOffCode =
  | 'EARLY_DATA'
  | 'WASTEFUL_RESPONSE'
  | 'WASTEFUL_TLS'
  | 'RESPONSE_TIMEOUT'
  | 'TOO_LATE';

/** The error with which the call's socket is destroyed; `explainCallError` has its message. */
export class CutOffError extends Error {
  readonly code: CutOffCode;

  constructor(code: CutOffCode) {
    super(code);
    this.name = 'CutOffError';
    this.code = code;
  }
}

/**
 * Returns a message for an error of a call, without the camera's address, and its error type of
 * RFC 9209.
 */
export function explainCallError(error: unknown): { reason: string; error: string } {
  // The code of a DOMException is a number.
  const code = String((error as NodeJS.ErrnoException)?.code ?? '');
  const known = CALL_ERRORS[code];
  if (known) return { reason: known[0], error: known[1] };
  if (code.startsWith('HPE_')) {
    return { reason: "the camera's response is not valid HTTP", error: 'http_protocol_error' };
  }
  if (/^(ERR_SSL_|EPROTO$)/.test(code)) {
    const reason = 'the TLS handshake with the camera failed; does this port speak https?';
    return { reason, error: 'tls_protocol_error' };
  }
  if (/^(ERR_TLS|CERT_|DEPTH_|SELF_|UNABLE_)/.test(code)) {
    return { reason: "the camera's certificate is not trusted", error: 'tls_certificate_error' };
  }
  const reason = code ? `the call failed (${code})` : `the call failed: ${messageOf(error)}`;
  return { reason, error: 'connection_terminated' };
}

const CALL_ERRORS: Record<string, [reason: string, error: string]> = {
  EARLY_DATA: [
    'the camera sent data before the request; is this port an HTTP server?',
    'http_protocol_error',
  ],
  WASTEFUL_RESPONSE: [
    "the camera's response arrives in too many small pieces, or is mostly padding",
    'http_protocol_error',
  ],
  WASTEFUL_TLS: ['the camera sends TLS messages but hardly any data', 'tls_protocol_error'],
  ECONNREFUSED: ['the camera refused the connection', 'connection_refused'],
  ECONNRESET: [
    'the camera closed the connection before its response was complete',
    'connection_terminated',
  ],
  EHOSTUNREACH: ['the camera cannot be reached', 'destination_ip_unroutable'],
  ENETUNREACH: ['the camera cannot be reached', 'destination_ip_unroutable'],
  ETIMEDOUT: ['the connection to the camera timed out', 'connection_timeout'],
  ENOTFOUND: ["the camera's host name is unknown", 'dns_error'],
  EAI_AGAIN: ["the camera's host name cannot be resolved right now", 'dns_error'],
};
