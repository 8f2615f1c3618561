import { expect, it } from 'vitest';
import { layoutFor } from './layout.js';

const columnsOf = (count: number, widthPx: number, heightPx: number) => {
  const { columns, fits } = layoutFor({ count, widthPx, heightPx, gapPx: 12 });
  return { columns, fits };
};

it('fills a screen with the largest tiles that all fit', () => {
  expect(columnsOf(1, 1200, 900)).toEqual({ columns: 1, fits: true });
  expect(columnsOf(4, 1440, 850)).toEqual({ columns: 2, fits: true });
  expect(columnsOf(9, 1440, 850)).toEqual({ columns: 3, fits: true });
  expect(columnsOf(40, 3800, 2080)).toEqual({ columns: 7, fits: true });
});

it('scrolls when tiles that all fit would be too small', () => {
  expect(columnsOf(40, 1400, 800)).toEqual({ columns: 4, fits: false });
});

it('uses a single column on a phone', () => {
  expect(columnsOf(6, 344, 700)).toEqual({ columns: 1, fits: false });
});

it('uses the number of columns that the viewer chose', () => {
  const layout = layoutFor({ count: 40, widthPx: 1400, heightPx: 800, gapPx: 12, columns: 10 });
  expect(layout.columns).toBe(10);
});
