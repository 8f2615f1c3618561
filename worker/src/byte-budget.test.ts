import { expect, it } from 'vitest';
import { createByteBudget } from './byte-budget.ts';

it('gives out no more bytes than it has, and the same again once they are back', () => {
  const budget = createByteBudget(100);
  expect(budget.take(60)).toBe(true);
  expect(budget.take(41)).toBe(false);
  expect(budget.take(40)).toBe(true);
  budget.giveBack(60);
  expect(budget.take(61)).toBe(false);
  expect(budget.take(60)).toBe(true);
});
