import { expect, it } from 'vitest';
import { countFile, quantile } from './count.ts';

it('lines, comments and functions are counted as a reader would', () => {
  const text = `/** What it
 * does. */
export function outer(): number {
  const inner = () => {
    return 1; // why
  };
  const none = (x: number) => x + 1;
  return none(inner());
}
`;
  expect(countFile('a.ts', text)).toEqual({ lines: 9, commentLines: 3, functionLines: [7, 3] });
});

it('a file that does not parse is named', () => {
  expect(() => countFile('broken.ts', 'function (')).toThrow(/^broken\.ts: /);
});

it('a quantile is one of the values', () => {
  expect(quantile([5, 1, 3, 2, 4], 0.5)).toBe(3);
  expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9)).toBe(9);
  expect(quantile([], 0.9)).toBe(0);
});
