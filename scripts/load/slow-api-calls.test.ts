import { expect, test } from 'vitest';
import { summarizeCalls } from './slow-api-calls.ts';

const url = 'http://localhost:8888/image';
const call = (number: number, startMs: number, of = url) => ({ number, startMs, url: of });

test('calls during the load are counted, and the gap to the last one before it matters too', () => {
  const calls = [call(1, 0), call(2, 5000), call(3, 10_100), call(4, 15_200)];
  expect(summarizeCalls(calls, url, 2)).toEqual({ count: 2, leastGapMs: 5100 });
  expect(summarizeCalls(calls, url, 1)).toEqual({ count: 3, leastGapMs: 5000 });
});

test('other cameras do not count', () => {
  const calls = [call(1, 0), call(2, 100, `${url}/other`), call(3, 6000)];
  expect(summarizeCalls(calls, url, 0)).toEqual({ count: 2, leastGapMs: 6000 });
});

test('a single call has no gap', () => {
  expect(summarizeCalls([call(1, 0)], url, 0)).toEqual({ count: 1, leastGapMs: undefined });
  expect(summarizeCalls([call(1, 0)], url, 1)).toEqual({ count: 0, leastGapMs: undefined });
});
