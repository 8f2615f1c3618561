import { expect, test } from 'vitest';
import { summarizeCalls } from './slow-api-calls.ts';

const url = 'http://localhost:8888/image';
const call = (number: number, startMs: number, of = url) => ({ number, startMs, url: of });

test('counts calls during the load, and includes the gap to the last call before it', () => {
  const calls = [call(1, 0), call(2, 5000), call(3, 10_100), call(4, 15_200)];
  expect(summarizeCalls(calls, url, 2)).toEqual({ count: 2, leastGapMs: 5100 });
  expect(summarizeCalls(calls, url, 1)).toEqual({ count: 3, leastGapMs: 5000 });
});

test('ignores other cameras', () => {
  const calls = [call(1, 0), call(2, 100, `${url}/other`), call(3, 6000)];
  expect(summarizeCalls(calls, url, 0)).toEqual({ count: 2, leastGapMs: 6000 });
});

test('a single call has no gap', () => {
  expect(summarizeCalls([call(1, 0)], url, 0)).toEqual({ count: 1, leastGapMs: undefined });
  expect(summarizeCalls([call(1, 0)], url, 1)).toEqual({ count: 0, leastGapMs: undefined });
});
