import { expect, it } from 'vitest';
import { createWaitingSlots } from './waiting-slots.ts';

it('reserves as many places as there are, and reuses released ones', () => {
  const reservePlace = createWaitingSlots(2);
  const first = reservePlace();
  expect(first).toBeDefined();
  expect(reservePlace()).toBeDefined();
  expect(reservePlace()).toBeUndefined();
  first?.release();
  expect(reservePlace()).toBeDefined();
  expect(reservePlace()).toBeUndefined();
});
