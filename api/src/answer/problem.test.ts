import { expect, it } from 'vitest';
import { problemResponse } from './problem.ts';

it('a problem is sent as problem+json and is never cached', async () => {
  const problem = { status: 403, code: 'source-not-allowed', detail: 'no' } as const;
  const response = problemResponse(problem, '/images');
  expect(response.status).toBe(403);
  expect(Object.fromEntries(response.headers)).toEqual({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'cache-status': 'lastframe; detail=source-not-allowed',
    'x-content-type-options': 'nosniff',
  });
  expect(await response.json()).toEqual({
    type: 'urn:lastframe:problem:source-not-allowed',
    title: 'Not allowed',
    status: 403,
    detail: 'no',
    instance: '/images',
  });
});

it.each([400, 403, 404, 405, 408, 414, 416, 431, 502, 503, 504, 508] as const)(
  'has a title for %d',
  async (status) => {
    const response = problemResponse({ status, code: 'x', detail: 'x' }, '/');
    expect(await response.json()).toMatchObject({ status, title: expect.stringMatching(/\w/) });
  },
);

it('the title of a 503 does not claim that a frame is missing', async () => {
  const problem = { status: 503, code: 'too-many-streams', detail: 'x' } as const;
  expect(await problemResponse(problem, '/').json()).toMatchObject({
    title: 'Temporarily unavailable',
  });
});

it.each([502, 503, 504] as const)('sends Retry-After with %d, in whole seconds', (status) => {
  const retryAfter = (retryAfterMs?: number) =>
    problemResponse(
      { status, code: 'x', detail: 'x', ...(retryAfterMs !== undefined && { retryAfterMs }) },
      '/',
    ).headers.get('retry-after');
  expect([undefined, 0, -5, 1, 1000, 1001, 60_000].map(retryAfter)).toEqual([
    '1',
    '1',
    '1',
    '1',
    '1',
    '2',
    '60',
  ]);
});

it.each([400, 403, 404, 405] as const)('never sends Retry-After with %d', (status) => {
  const response = problemResponse({ status, code: 'x', detail: 'x', retryAfterMs: 5000 }, '/');
  expect(response.headers.get('retry-after')).toBeNull();
});
