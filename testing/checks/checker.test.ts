import { describe, expect, it } from 'vitest';
import { checkCalls, type UpstreamCall } from './checker.ts';

function call(
  number: number,
  startMs: number,
  endMs: number | null,
  url = 'http://c/1',
): UpstreamCall {
  return { number, url, name: 'c', startMs, endMs, status: 200 };
}

describe('the checker', () => {
  it('accepts calls at least an interval apart, and counts them', () => {
    const verdict = checkCalls([call(1, 0, 400), call(2, 1000, 1400), call(3, 2010, 2300)], 1000);
    expect(verdict).toMatchObject({
      calls: 3,
      cameras: 1,
      pairs: 2,
      smallestGapMs: 1000,
      breaches: [],
    });
    expect(verdict.shareOfIntervals).toBeCloseTo(2 / 2.01);
  });

  it('finds two calls too close together, in any log order', () => {
    const { breaches } = checkCalls([call(2, 970, 980), call(1, 0, 100)], 1000);
    expect(breaches).toEqual(['http://c/1: calls 1 and 2 are 970.0 ms apart, not 1000']);
  });

  it('finds two calls in flight at once, even if the first never ended', () => {
    expect(checkCalls([call(1, 0, 1050), call(2, 1000, 1100)], 1000).breaches).toHaveLength(1);
    expect(checkCalls([call(1, 0, null), call(2, 5000, 5100)], 1000).breaches).toHaveLength(1);
  });

  it('tolerates 20 ms and no more', () => {
    expect(checkCalls([call(1, 0, 999), call(2, 980, 1000)], 1000).breaches).toEqual([]);
    expect(checkCalls([call(1, 0, 10), call(2, 979, 1000)], 1000).breaches).toHaveLength(1);
  });

  it('assumes the earliest possible start of a call during a pause of the upstream', () => {
    const calls = [call(1, 1040, 1041), call(2, 2001, 2100)];
    expect(checkCalls(calls, 1000).breaches).toHaveLength(1);
    expect(checkCalls(calls, 1000, [{ fromMs: 1000, toMs: 1026 }]).breaches).toEqual([]);
    expect(checkCalls(calls, 1000, [{ fromMs: 1035, toMs: 1039 }]).breaches).toHaveLength(1);
    // A pause before the later call is no excuse: that call can only have started earlier.
    expect(checkCalls(calls, 1000, [{ fromMs: 1900, toMs: 2001 }]).breaches).toHaveLength(1);
  });

  it('does not compare different cameras', () => {
    const calls = [call(1, 0, 100), call(2, 1, 101, 'http://c/2')];
    expect(checkCalls(calls, 1000)).toMatchObject({ cameras: 2, pairs: 0, breaches: [] });
  });
});
