import type { Problem } from '@lastframe/shared/errors';

const TITLES: Record<Problem['status'], string> = {
  400: 'Bad request',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  414: 'Request target too long',
  416: 'Range not satisfiable',
  502: 'The camera failed',
  503: 'No frame yet',
  504: 'The camera timed out',
  508: 'Loop',
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
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  };
  if (status === 502 || status === 503 || status === 504) {
    headers['Retry-After'] = String(Math.max(1, Math.ceil((retryAfterMs ?? 1000) / 1000)));
    headers['Cache-Status'] = 'lastframe; fwd=uri-miss';
  }
  return new Response(`${JSON.stringify(body)}\n`, { status, headers });
}
