import { expect, it } from 'vitest';
import { createFairSlots, type FairSlots } from './fair-slots.ts';

/** Takes as many slots as it gets; returns how many. */
function takeAll(slots: FairSlots, source: string, isFirst = false): (() => void)[] {
  const taken: (() => void)[] = [];
  for (let leave = slots.enter(source, isFirst); leave; leave = slots.enter(source, isFirst))
    taken.push(leave);
  return taken;
}

it('a source alone gets nearly all slots, and leaves some for others', () => {
  const slots = createFairSlots(1000);
  expect(takeAll(slots, 'a')).toHaveLength(900);
  expect(takeAll(slots, 'b').length).toBeGreaterThan(80);
  expect(slots.enter('c', false)).toBeDefined();
});

it('two sources share the slots equally once calls of the first have ended', () => {
  const slots = createFairSlots(1000);
  const first = takeAll(slots, 'a');
  const counts = { a: first.length, b: 0 };
  for (let n = 0; n < 5000; n += 1) {
    const leave = first.shift();
    leave?.();
    counts.a -= leave ? 1 : 0;
    counts.b += takeAll(slots, 'b').length;
    const back = takeAll(slots, 'a');
    first.push(...back);
    counts.a += back.length;
  }
  expect(Math.abs(counts.a - counts.b)).toBeLessThan(20);
});

it('first calls get half of the slots, whatever their sources', () => {
  const slots = createFairSlots(1000);
  expect(takeAll(slots, 'a', true).length + takeAll(slots, 'b', true).length).toBe(500);
  expect(takeAll(slots, 'a').length).toBeGreaterThan(300);
});

it('a slot is free again once, when its call has ended', () => {
  const slots = createFairSlots(10);
  const [leave] = takeAll(slots, 'a');
  expect(slots.enter('a', false)).toBeUndefined();
  leave?.();
  leave?.();
  expect(takeAll(slots, 'a')).toHaveLength(1);
});

it('a worker with one slot calls everybody', () => {
  const slots = createFairSlots(1);
  slots.enter('a', true)?.();
  expect(slots.enter('b', false)).toBeDefined();
});
