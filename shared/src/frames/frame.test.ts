import { expect, it } from 'vitest';
import { freshnessOf } from './frame.ts';

const limits = { intervalMs: 5000, maxIntervalMs: 5000, staleForMs: 60_000 };

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
