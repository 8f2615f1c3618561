import { expect, it } from 'vitest';
import { createWaitingSlots } from './waiting-slots.ts';

it('reserves as many slots as there are, and reuses released ones', () => {
  const reserveSlot = createWaitingSlots(2);
  const first = reserveSlot();
  expect(first).toBeDefined();
  expect(reserveSlot()).toBeDefined();
  expect(reserveSlot()).toBeUndefined();
  first?.();
  expect(reserveSlot()).toBeDefined();
  expect(reserveSlot()).toBeUndefined();
});
