import { describe, expect, it, vi } from 'vitest';
import { createByteBudget } from './byte-budget.ts';

const nobody = () => {};

it('gives out no more bytes than it has, and the same again once they are back', () => {
  const budget = createByteBudget(100);
  const [one, two] = [budget.open('a', nobody), budget.open('b', nobody)];
  expect(one.take(40)).toBe(true);
  expect(two.take(61)).toBe(false);
  expect(two.take(60)).toBe(true);
  one.release();
  one.release();
  expect(two.take(41)).toBe(false);
  expect(two.take(40)).toBe(true);
});

describe('when the budget is spent', () => {
  it('the largest body makes room for a smaller one, of its own source or of another', () => {
    for (const group of ['flood', 'other']) {
      const budget = createByteBudget(100);
      const evict = vi.fn();
      expect(budget.open('flood', nobody).take(30)).toBe(true);
      const largest = budget.open('flood', evict);
      expect(largest.take(60)).toBe(true);
      expect(budget.open(group, nobody).take(20)).toBe(true);
      expect(evict).toHaveBeenCalledOnce();
      expect(largest.take(1)).toBe(false);
    }
  });

  it('the body that asks is refused if it would be the largest itself', () => {
    const budget = createByteBudget(100);
    const evict = vi.fn();
    const asking = budget.open('a', nobody);
    expect(budget.open('a', evict).take(60)).toBe(true);
    expect(asking.take(40)).toBe(true);
    expect(asking.take(21)).toBe(false);
    expect(evict).not.toHaveBeenCalled();
  });

  it('many small bodies of one source make room before one large body of another', () => {
    const budget = createByteBudget(100);
    const evict = vi.fn();
    const large = budget.open('named camera', evict);
    expect(large.take(20)).toBe(true);
    const flood = Array.from({ length: 80 }, () => budget.open('flood', nobody));
    for (const share of flood) expect(share.take(1)).toBe(true);
    expect(large.take(20)).toBe(true);
    expect(evict).not.toHaveBeenCalled();
  });

  it('a body larger than the whole budget is refused and costs nobody anything', () => {
    const budget = createByteBudget(100);
    const evict = vi.fn();
    expect(budget.open('a', evict).take(100)).toBe(true);
    expect(budget.open('b', nobody).take(101)).toBe(false);
    expect(evict).not.toHaveBeenCalled();
  });
});

it('a complete body counts until it is released, and makes room for nobody', () => {
  const budget = createByteBudget(100);
  const evict = vi.fn();
  const complete = budget.open('flood', evict);
  expect(complete.take(60)).toBe(true);
  complete.keep();
  expect(budget.open('other', nobody).take(41)).toBe(false);
  expect(evict).not.toHaveBeenCalled();
  complete.release();
  complete.release();
  expect(budget.open('other', nobody).take(100)).toBe(true);
});

it('large bodies, complete or not, leave a quarter to small ones', () => {
  const MIB = 1024 ** 2;
  const budget = createByteBudget(16 * MIB);
  const large = Array.from({ length: 6 }, () => budget.open('flood', nobody));
  for (const share of large) {
    expect(share.take(2 * MIB)).toBe(true);
    share.keep();
  }
  expect(budget.open('flood', nobody).take(2 * MIB)).toBe(false);
  for (let n = 0; n < 4; n += 1) expect(budget.open('other', nobody).take(MIB)).toBe(true);
});
