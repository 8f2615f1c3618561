import { messageOf } from '@lastframe/shared/process/errors';

/** Why we cut a camera off before its answer was complete. */
export type CutOffCode =
  | 'EARLY_DATA'
  | 'TOO_MANY_1XX'
  | 'WASTEFUL_ANSWER'
  | 'WASTEFUL_TLS'
  | 'RESPONSE_TIMEOUT';

/** Destroys the call's socket; `explainCallError` has the words for it. */
export class CutOffError extends Error {
  readonly code: CutOffCode;

  constructor(code: CutOffCode) {
    super(code);
    this.name = 'CutOffError';
    this.code = code;
  }
}

/**
 * Words for what went wrong on the way to the camera, without its address, and the error type of
 * RFC 9209 for it.
 */
export function explainCallError(error: unknown): { reason: string; error: string } {
  // A DOMException has a number there.
  const code = String((error as NodeJS.ErrnoException)?.code ?? '');
  const known = CALL_ERRORS[code];
  if (known) return { reason: known[0], error: known[1] };
  if (code.startsWith('HPE_')) {
    return { reason: "the camera's answer is no valid HTTP", error: 'http_protocol_error' };
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
    'the camera sent data before it was asked; is this port an HTTP server?',
    'http_protocol_error',
  ],
  TOO_MANY_1XX: ['the camera sent too many 1xx responses and no final one', 'http_protocol_error'],
  WASTEFUL_ANSWER: [
    "the camera's answer comes in too many small pieces, or is mostly padding",
    'http_protocol_error',
  ],
  WASTEFUL_TLS: ['the camera sends TLS messages and next to no data', 'tls_protocol_error'],
  ECONNREFUSED: ['the camera refused the connection', 'connection_refused'],
  ECONNRESET: [
    'the camera closed the connection before its answer was complete',
    'connection_terminated',
  ],
  EHOSTUNREACH: ['the camera can not be reached', 'destination_ip_unroutable'],
  ENETUNREACH: ['the camera can not be reached', 'destination_ip_unroutable'],
  ETIMEDOUT: ['the connection to the camera timed out', 'connection_timeout'],
  ENOTFOUND: ["the camera's host name is unknown", 'dns_error'],
  EAI_AGAIN: ["the camera's host name can not be resolved now", 'dns_error'],
};
