import type { Problem } from '@lastframe/shared/process/errors';
import { parseList, Token } from 'structured-headers';
import { expect, it } from 'vitest';
import { proxyStatus } from './problem.ts';

const problem = (rest: Partial<Problem> & Pick<Problem, 'status'>): Problem => ({
  code: 'x',
  detail: 'x',
  ...rest,
});

it.each([
  [{ status: 502 }, 'lastframe; error=destination_unavailable'],
  [{ status: 504 }, 'lastframe; error=http_response_timeout'],
  [{ status: 508 }, 'lastframe; error=proxy_loop_detected'],
  [{ status: 502, proxyError: 'connection_refused' }, 'lastframe; error=connection_refused'],
  [{ status: 504, proxyError: 'connection_timeout' }, 'lastframe; error=connection_timeout'],
  [
    { status: 502, proxyError: 'destination_unavailable', receivedStatus: 500 },
    'lastframe; error=destination_unavailable; received-status=500',
  ],
  [
    { status: 403, proxyError: 'destination_ip_prohibited' },
    'lastframe; error=destination_ip_prohibited',
  ],
] as const)('%j becomes the structured field %s', (rest, text) => {
  const value = proxyStatus(problem(rest));
  expect(value).toBe(text);
  const [[name, parameters]] = parseList(value ?? '') as [[Token, Map<string, Token>]];
  expect(String(name)).toBe('lastframe');
  expect(parameters.get('error')).toBeInstanceOf(Token);
});

it.each([400, 403, 404, 405, 414, 416, 503] as const)('%d has no Proxy-Status', (status) => {
  expect(proxyStatus(problem({ status }))).toBeUndefined();
});
