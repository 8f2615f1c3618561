import { expect, it } from 'vitest';
import { createWaitingPlaces } from './waiting-places.ts';

it('gives as many places as there are, and one that is free again', () => {
  const takePlace = createWaitingPlaces(2);
  const first = takePlace();
  expect(first).toBeDefined();
  expect(takePlace()).toBeDefined();
  expect(takePlace()).toBeUndefined();
  first?.release();
  expect(takePlace()).toBeDefined();
  expect(takePlace()).toBeUndefined();
});
