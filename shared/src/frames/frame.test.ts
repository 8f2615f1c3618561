import { expect, it } from 'vitest';
import { etagOf, freshnessOf } from './frame.ts';

const limits = { intervalMs: 5000, staleForMs: 60_000 };

it.each([
  [-1, 'fresh'],
  [0, 'fresh'],
  [4999, 'fresh'],
  [5000, 'stale'],
  [60_000, 'stale'],
  [60_001, 'expired'],
  [Number.POSITIVE_INFINITY, 'expired'],
] as const)('calls a frame that was started %d ms ago %s', (agoMs, freshness) => {
  expect(freshnessOf(agoMs, limits)).toBe(freshness);
});

it('derives a strong ETag from the bytes alone', () => {
  expect(etagOf(Buffer.from('test'))).toBe('"sha256-9f86d081884c7d659a2feaa0c55ad015"');
  expect(etagOf(Buffer.from('test'))).toBe(etagOf(Buffer.from('test')));
  expect(etagOf(Buffer.from('Test'))).not.toBe(etagOf(Buffer.from('test')));
});
