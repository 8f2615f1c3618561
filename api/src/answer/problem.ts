import type { Problem } from '@lastframe/shared/process/errors';

export const TITLES: Record<Problem['status'], string> = {
  400: 'Bad request',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request too slow',
  414: 'Request target too long',
  416: 'Range not satisfiable',
  431: 'Request headers too large',
  502: 'The camera failed',
  503: 'Temporarily unavailable',
  504: 'The camera timed out',
  508: 'Request loop',
};

/** An error as `application/problem+json` (RFC 9457), never cached. */
export function problemResponse(problem: Problem, instance: string): Response {
  const { status, code, detail, retryAfterMs } = problem;
  const body = {
    type: `urn:lastframe:problem:${code}`,
    title: TITLES[status],
    status,
    detail,
    instance,
  };
  const isGatewayError = status === 502 || status === 503 || status === 504;
  const proxy = proxyStatus(problem);
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    // Without a frame there is no hit. A request that is itself at fault was not forwarded either.
    'Cache-Status': `lastframe; ${isGatewayError ? 'fwd=uri-miss; ' : ''}detail=${code}`,
    'X-Content-Type-Options': 'nosniff',
    ...(proxy && { 'Proxy-Status': proxy }),
  };
  if (isGatewayError) {
    headers['Retry-After'] = String(Math.max(1, Math.ceil((retryAfterMs ?? 1000) / 1000)));
  }
  return new Response(`${JSON.stringify(body)}\n`, { status, headers });
}

/**
 * Returns `Proxy-Status` (RFC 9209): what went wrong on the way to the camera. Undefined if nothing
 * did.
 */
export function proxyStatus({ status, proxyError, receivedStatus }: Problem): string | undefined {
  const usual: Partial<Record<Problem['status'], string>> = {
    502: 'destination_unavailable',
    504: 'http_response_timeout',
    508: 'proxy_loop_detected',
  };
  const error = proxyError ?? usual[status];
  if (error === undefined) return undefined;
  const received = receivedStatus === undefined ? '' : `; received-status=${receivedStatus}`;
  return `lastframe; error=${error}${received}`;
}
