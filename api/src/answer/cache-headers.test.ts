import { expect, it } from 'vitest';
import { cacheHeaders } from './frame-response.ts';

const times = {
  capturedAgoMs: 3000,
  changedAtMs: Date.UTC(2026, 8, 22, 10),
  etag: '"sha256-9f86d081884c7d65"',
  maxAgeMs: 5000,
  intervalMs: 5000,
  staleForMs: 86_400_000,
};

it('cache headers match the example exactly', () => {
  expect(cacheHeaders(times, 'memory')).toEqual({
    ETag: '"sha256-9f86d081884c7d65"',
    'Last-Modified': 'Tue, 22 Sep 2026 10:00:00 GMT',
    Age: '3',
    'Cache-Control': 'public, max-age=5, stale-while-revalidate=5, stale-if-error=86400',
    'Cache-Status': 'lastframe; hit; ttl=2; detail=memory',
  });
});

it.each([
  [-5000, '0', 5],
  [0, '0', 5],
  [999, '0', 5],
  [1000, '1', 4],
  [5000, '5', 0],
  [47_999, '47', -42],
])('a frame captured %d ms ago gets Age %s and ttl %d', (capturedAgoMs, age, ttl) => {
  const headers = cacheHeaders({ ...times, capturedAgoMs }, 'redis');
  expect(headers.Age).toBe(age);
  expect(headers['Cache-Status']).toBe(`lastframe; hit; ttl=${ttl}; detail=redis`);
});

it('the interval and the lifetime of frames are rounded down to whole seconds', () => {
  const headers = cacheHeaders(
    { ...times, maxAgeMs: 1999, intervalMs: 1999, staleForMs: 90_500 },
    'memory',
  );
  const control = 'public, max-age=1, stale-while-revalidate=1, stale-if-error=90';
  expect(headers['Cache-Control']).toBe(control);
});

it('a picture that is expected to stay is kept for as long, but a stale one no longer than usual', () => {
  const headers = cacheHeaders({ ...times, maxAgeMs: 600_000 }, 'memory');
  const control = 'public, max-age=600, stale-while-revalidate=5, stale-if-error=86400';
  expect(headers['Cache-Control']).toBe(control);
  expect(headers['Cache-Status']).toBe('lastframe; hit; ttl=597; detail=memory');
});

it('a request that waited for the camera is not a hit', () => {
  expect(cacheHeaders(times, 'stored')['Cache-Status']).toBe('lastframe; fwd=uri-miss; stored');
  expect(cacheHeaders(times, 'collapsed')['Cache-Status']).toBe(
    'lastframe; fwd=uri-miss; collapsed',
  );
});
