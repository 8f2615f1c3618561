import { expect, it } from 'vitest';
import { choiceIn } from './cameras.js';

const choice = (query: string) => choiceIn(new URLSearchParams(query));

it('shows all named cameras unless the query chooses some', () => {
  expect(choice('')).toEqual({ names: [], urls: [], columns: undefined });
  expect(choice('camera=b&camera=a&camera=b').names).toEqual(['b', 'a']);
});

it('trims pasted URLs and ignores empty ones', () => {
  expect(choice('url=%20http://cam.test/a%20&url=').urls).toEqual(['http://cam.test/a']);
});

it('ignores an invalid number of columns', () => {
  expect(['0', '-1', '1.5', 'x', '101'].map((n) => choice(`columns=${n}`).columns)).toEqual(
    Array(5).fill(undefined),
  );
  expect(choice('columns=6').columns).toBe(6);
});
