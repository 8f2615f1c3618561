import { expect, it } from 'vitest';
import { readItems, unlessTooLong } from './http-fields.ts';

it.each([
  ['', []],
  ['a', [['a', undefined, 'start']]],
  [' A = b ', [['a', 'b', 'start']]],
  [
    'a="b, c=\\"d\\"", e',
    [
      ['a', 'b, c="d"', 'start'],
      ['e', undefined, ','],
    ],
  ],
  [
    'a; b=1, c d',
    [
      ['a', undefined, 'start'],
      ['b', '1', ';'],
      ['c', undefined, ','],
      ['d', undefined, ' '],
    ],
  ],
  ['"a=b", c', [['c', undefined, ',']]],
  [
    'a=, b',
    [
      ['a', '', 'start'],
      ['b', undefined, ','],
    ],
  ],
  ['a="b, c=d', [['a', '', 'start']]],
  ['=,;"', []],
])('the items of %j', (text, items) => {
  expect(
    [...readItems(text)].map(({ name, value, separator: after }) => [name, value, after]),
  ).toEqual(items);
});

it.each([
  ['Word', 'Word'],
  ['a=Token', 'Token'],
  [String.raw`a="b \"c\" \d"`, String.raw`b \"c\" \d`],
])('the first item of %j is %j as received', (text, raw) => {
  expect([...readItems(text)][0]?.raw).toBe(raw);
});

it('a header that is too long is ignored', () => {
  expect(unlessTooLong('ab', 2)).toBe('ab');
  expect(unlessTooLong('abc', 2)).toBeUndefined();
  expect(unlessTooLong(undefined, 2)).toBeUndefined();
});
