import type { SourceTls } from '@lastframe/shared/cameras/source';
import { messageOf } from '@lastframe/shared/process/errors';
import { ProxyError } from './connect/proxy.ts';
import type { Explanation } from './explanation.ts';
import { HandshakeError } from './tls/start-tls.ts';
import { explainTlsError } from './tls/tls-error.ts';

/** Explains an error of a call. @param tls the options of the camera's source */
export function explainCallError(error: unknown, tls: SourceTls = {}): Explanation {
  if (error instanceof ProxyError) return error;
  if (error instanceof HandshakeError) return explainHandshakeError(error, tls);
  const cause = mostTellingError(error);
  // The code of a DOMException is a number.
  const code = String((cause as NodeJS.ErrnoException)?.code ?? '');
  const known = isSlowToAccept(error, code) ? SLOW_TO_ACCEPT : CALL_ERRORS[code];
  if (known) return { reason: known[0], error: known[1] };
  if (code.startsWith('EAI_')) {
    const reason = "the camera's host name cannot be resolved right now";
    return { reason, error: 'dns_error' };
  }
  const explained = explainTlsError(cause, { tls, sawCertificate: true });
  if (explained) return explained;
  const reason = code ? `the call failed (${code})` : `the call failed: ${messageOf(cause)}`;
  return { reason, error: 'connection_terminated' };
}

function explainHandshakeError({ cause, sawCertificate }: HandshakeError, tls: SourceTls) {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined || HANG_UPS.includes(code)) {
    const reason =
      'the camera closed the connection during the TLS handshake; does this port speak https? ' +
      'An old camera may need tls.legacy or a lower tls.minVersion';
    return { reason, error: 'connection_terminated' };
  }
  return explainTlsError(cause, { tls, sawCertificate }) ?? explainCallError(cause);
}

/** Several addresses were tried: the lack of a route to one says less than an answer of another. */
function mostTellingError(error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error;
  const isUnroutable = ({ code }: { code?: string }) => UNROUTABLE.includes(code ?? '');
  return error.errors.find((one) => !isUnroutable(one)) ?? error.errors[0];
}

/** Each address was given its part of the time. */
function isSlowToAccept(error: unknown, code: string): boolean {
  return error instanceof AggregateError && code === 'ETIMEDOUT';
}

const HANG_UPS = ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ECANCELED'];
const UNROUTABLE = ['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'];

type Row = [reason: string, error: string];
const HUNG_UP: Row = [
  'the camera closed the connection before its response was complete',
  'connection_terminated',
];
const UNREACHABLE: Row = [
  'the camera cannot be reached: is it switched on, and is there a route to its network?',
  'destination_ip_unroutable',
];
const SLOW_TO_ACCEPT: Row = [
  'the camera did not accept the connection in time; a larger startAllowance for its source (START_ALLOWANCE) gives it more',
  'connection_timeout',
];
const BLOCKED: Row = [
  "a firewall or policy of this worker's machine forbids the connection",
  'destination_ip_prohibited',
];
const NO_DESCRIPTORS: Row = [
  'this worker has no file descriptor left for a connection; raise its limit (ulimit -n)',
  'proxy_internal_error',
];
const NO_MEMORY: Row = [
  "this worker's machine has no memory left for a connection",
  'proxy_internal_error',
];
const NO_FAMILY: Row = [
  "this worker's machine cannot connect to such an address; does it have IPv6?",
  'destination_ip_unroutable',
];

const CALL_ERRORS: Record<string, Row> = {
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
  ECONNRESET: HUNG_UP,
  ECONNABORTED: HUNG_UP,
  EPIPE: HUNG_UP,
  // Node's word for a request that was not written when the camera hung up.
  ECANCELED: HUNG_UP,
  EHOSTUNREACH: UNREACHABLE,
  EHOSTDOWN: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENETDOWN: ["the network of this worker's machine is down", 'destination_ip_unroutable'],
  ETIMEDOUT: ['the connection to the camera timed out', 'connection_timeout'],
  EACCES: BLOCKED,
  EPERM: BLOCKED,
  EADDRNOTAVAIL: [
    "this worker's machine has no free port or no suitable address to connect from",
    'proxy_internal_error',
  ],
  EAFNOSUPPORT: NO_FAMILY,
  EINVAL: NO_FAMILY,
  EMFILE: NO_DESCRIPTORS,
  ENFILE: NO_DESCRIPTORS,
  ENOBUFS: NO_MEMORY,
  ENOMEM: NO_MEMORY,
  ENOTFOUND: ["the camera's host name is unknown", 'dns_error'],
  ESERVFAIL: ["the name servers failed to resolve the camera's host name", 'dns_error'],
  ETIMEOUT: ["no name server answered the lookup of the camera's host name", 'dns_timeout'],
};
