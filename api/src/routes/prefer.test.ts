import { expect, it } from 'vitest';
import { parsePrefer } from './prefer.ts';

it.each([
  [undefined, false, undefined],
  ['', false, undefined],
  ['respond-async', true, undefined],
  ['Respond-Async', true, undefined],
  ['wait=10', false, 10],
  ['wait="10"', false, 10],
  ['WAIT = 10', false, 10],
  ['wait=0', false, 0],
  ['respond-async, wait=10', true, 10],
  ['wait=10,respond-async', true, 10],
  ['wait=10; foo="a, wait=5", handling=lenient', false, 10],
  ['foo="respond-async, wait=3"; bar, wait=7', false, 7],
  ['wait=10, wait=20', false, 10],
  ['wait', false, undefined],
  ['wait=', false, undefined],
  ['wait=-1', false, undefined],
  ['wait=1.5', false, undefined],
  ['wait=soon', false, undefined],
  ['wait=9999999999', false, undefined],
  ['respond-async=no', false, undefined],
  ['respond-asynchronously', false, undefined],
  [',,;=,', false, undefined],
] as const)('parses %s', (value, respondAsync, waitS) => {
  expect(parsePrefer(value)).toEqual({ respondAsync, waitS });
});

it('ignores a value that is longer than any real one', () => {
  const padded = (length: number) => `wait=10, ${'x'.repeat(length - 9)}`;
  expect(parsePrefer(padded(1024)).waitS).toBe(10);
  expect(parsePrefer(padded(1025)).waitS).toBeUndefined();
});
