import { describe, expect, it, vi } from 'vitest';
import { createByteBudget } from './byte-budget.ts';

const noop = () => {};

it('grants no more bytes than it has, and grants released bytes again', () => {
  const budget = createByteBudget(100);
  const [one, two] = [budget.open('a', noop), budget.open('b', noop)];
  expect(one.reserve(40)).toBe(true);
  expect(two.reserve(61)).toBe(false);
  expect(two.reserve(60)).toBe(true);
  one.release();
  one.release();
  expect(two.reserve(41)).toBe(false);
  expect(two.reserve(40)).toBe(true);
});

describe('when the budget is spent', () => {
  it('evicts the largest body for a smaller one, of the same source or another', () => {
    for (const group of ['flood', 'other']) {
      const budget = createByteBudget(100);
      const evict = vi.fn();
      expect(budget.open('flood', noop).reserve(30)).toBe(true);
      const largest = budget.open('flood', evict);
      expect(largest.reserve(60)).toBe(true);
      expect(budget.open(group, noop).reserve(20)).toBe(true);
      expect(evict).toHaveBeenCalledOnce();
      expect(largest.reserve(1)).toBe(false);
    }
  });

  it('refuses a body that would itself be the largest', () => {
    const budget = createByteBudget(100);
    const evict = vi.fn();
    const requester = budget.open('a', noop);
    expect(budget.open('a', evict).reserve(60)).toBe(true);
    expect(requester.reserve(40)).toBe(true);
    expect(requester.reserve(21)).toBe(false);
    expect(evict).not.toHaveBeenCalled();
  });

  it('evicts many small bodies of one source before a large body of another', () => {
    const budget = createByteBudget(100);
    const evict = vi.fn();
    const large = budget.open('named camera', evict);
    expect(large.reserve(20)).toBe(true);
    const flood = Array.from({ length: 80 }, () => budget.open('flood', noop));
    for (const share of flood) expect(share.reserve(1)).toBe(true);
    expect(large.reserve(20)).toBe(true);
    expect(evict).not.toHaveBeenCalled();
  });

  it('refuses a body larger than the whole budget, and evicts nothing', () => {
    const budget = createByteBudget(100);
    const evict = vi.fn();
    expect(budget.open('a', evict).reserve(100)).toBe(true);
    expect(budget.open('b', noop).reserve(101)).toBe(false);
    expect(evict).not.toHaveBeenCalled();
  });
});

it('counts a complete body until it is released, and never evicts it', () => {
  const budget = createByteBudget(100);
  const evict = vi.fn();
  const complete = budget.open('flood', evict);
  expect(complete.reserve(60)).toBe(true);
  complete.markComplete();
  expect(budget.open('other', noop).reserve(41)).toBe(false);
  expect(evict).not.toHaveBeenCalled();
  complete.release();
  complete.release();
  expect(budget.open('other', noop).reserve(100)).toBe(true);
});

it('keeps a quarter for small bodies, even when large ones are complete', () => {
  const MIB = 1024 ** 2;
  const budget = createByteBudget(16 * MIB);
  const large = Array.from({ length: 6 }, () => budget.open('flood', noop));
  for (const share of large) {
    expect(share.reserve(2 * MIB)).toBe(true);
    share.markComplete();
  }
  expect(budget.open('flood', noop).reserve(2 * MIB)).toBe(false);
  for (let n = 0; n < 4; n += 1) expect(budget.open('other', noop).reserve(MIB)).toBe(true);
});
