import { expect, it } from 'vitest';
import { explainCallError } from './call-error.ts';

it.each([
  ['ECONNREFUSED', 'connection_refused'],
  ['ECONNRESET', 'connection_terminated'],
  ['EPIPE', 'connection_terminated'],
  ['EHOSTUNREACH', 'destination_ip_unroutable'],
  ['ENETUNREACH', 'destination_ip_unroutable'],
  ['ETIMEDOUT', 'connection_timeout'],
  ['ENOTFOUND', 'dns_error'],
  ['EAI_AGAIN', 'dns_error'],
  ['HPE_INVALID_CONSTANT', 'http_protocol_error'],
  ['CERT_HAS_EXPIRED', 'tls_certificate_error'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_certificate_error'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_certificate_error'],
])('explains %s as %s, without the address', (code, type) => {
  const thrown = Object.assign(new Error(`${code} 10.0.0.7:80`), { code });
  const { reason, error } = explainCallError(thrown);
  expect(error).toBe(type);
  expect(reason).toMatch(/camera|call failed/);
  expect(reason).not.toContain('10.0.0.7');
});
