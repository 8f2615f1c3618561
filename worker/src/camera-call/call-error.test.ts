import { describe, expect, it } from 'vitest';
import { explainCallError } from './call-error.ts';
import { HandshakeError } from './tls/start-tls.ts';

const errorWith = (code: string) => Object.assign(new Error(`${code} 10.0.0.7:80`), { code });

/** Everything that a socket or the resolver may report. */
it.each([
  ['ECONNREFUSED', 'connection_refused', /camera refused/],
  ['ECONNRESET', 'connection_terminated', /camera closed the connection/],
  ['ECONNABORTED', 'connection_terminated', /camera closed the connection/],
  ['EPIPE', 'connection_terminated', /camera closed the connection/],
  ['ECANCELED', 'connection_terminated', /camera closed the connection/],
  ['EHOSTUNREACH', 'destination_ip_unroutable', /camera cannot be reached: is it switched on/],
  ['EHOSTDOWN', 'destination_ip_unroutable', /camera cannot be reached/],
  ['ENETUNREACH', 'destination_ip_unroutable', /camera cannot be reached/],
  ['ENETDOWN', 'destination_ip_unroutable', /network of this worker/],
  ['ETIMEDOUT', 'connection_timeout', /connection to the camera timed out/],
  ['EACCES', 'destination_ip_prohibited', /firewall .* of this worker/],
  ['EPERM', 'destination_ip_prohibited', /firewall .* of this worker/],
  ['EADDRNOTAVAIL', 'proxy_internal_error', /this worker's machine has no free port/],
  ['EAFNOSUPPORT', 'destination_ip_unroutable', /does it have IPv6/],
  ['EINVAL', 'destination_ip_unroutable', /does it have IPv6/],
  ['EMFILE', 'proxy_internal_error', /this worker has no file descriptor left.*ulimit/],
  ['ENFILE', 'proxy_internal_error', /this worker has no file descriptor left/],
  ['ENOBUFS', 'proxy_internal_error', /this worker's machine has no memory/],
  ['ENOMEM', 'proxy_internal_error', /this worker's machine has no memory/],
  ['ENOTFOUND', 'dns_error', /camera's host name is unknown/],
  ['ESERVFAIL', 'dns_error', /name servers failed/],
  ['ETIMEOUT', 'dns_timeout', /no name server answered/],
  ['EAI_AGAIN', 'dns_error', /cannot be resolved right now/],
  ['EAI_FAIL', 'dns_error', /cannot be resolved right now/],
  ['CERT_HAS_EXPIRED', 'tls_certificate_error', /camera's certificate.* expired/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_certificate_error', /for another name/],
])('explains %s as %s, without the code or the address', (code, type, words) => {
  const { reason, error } = explainCallError(errorWith(code));
  expect(error).toBe(type);
  expect(reason).toMatch(words);
  expect(reason).not.toMatch(new RegExp(`10\\.0\\.0\\.7|${code}`));
});

describe('a camera with several addresses', () => {
  const explain = (...codes: string[]) =>
    explainCallError(new AggregateError(codes.map(errorWith)));

  it('is explained by an address that answered', () => {
    expect(explain('ENETUNREACH', 'ECONNREFUSED').error).toBe('connection_refused');
    expect(explain('ECONNREFUSED', 'ENETUNREACH').error).toBe('connection_refused');
    expect(explain('EADDRNOTAVAIL', 'ENETUNREACH').error).toBe('proxy_internal_error');
  });

  it('needs a larger startAllowance if it did not accept in time', () => {
    const { reason, error } = explain('ETIMEDOUT', 'ENETUNREACH');
    expect(reason).toMatch(/startAllowance .*START_ALLOWANCE/);
    expect(error).toBe('connection_timeout');
  });
});

it.each(['ECONNRESET', 'EPIPE', undefined])('explains %s in a handshake by TLS', (code) => {
  const cause = code === undefined ? new Error('closed') : errorWith(code);
  const { reason, error } = explainCallError(new HandshakeError(cause, false));
  expect(reason).toMatch(/closed the connection during the TLS handshake/);
  expect(error).toBe('connection_terminated');
});

it('explains another error in a handshake as usual', () => {
  const error = new HandshakeError(errorWith('EHOSTUNREACH'), false);
  expect(explainCallError(error).error).toBe('destination_ip_unroutable');
});
