import { expect, it } from 'vitest';
import { hasPassedProxy } from './via.ts';

const own = 'lastframe-0123456789ab';

it.each([
  `1.1 ${own}`,
  `HTTP/1.1 ${own}`,
  `1.0 fred, 1.1 ${own}`,
  `1.1 ${own}, 1.1 cdn.test:443 (with, a comment)`,
  `1.1 cdn.test (a, b),1.1\t${own} (us)`,
  `1.1 LASTFRAME-0123456789AB`,
])('%s has passed', (via) => expect(hasPassedProxy(via, own)).toBe(true));

it.each([
  undefined,
  '',
  '1.1 lastframe-ba9876543210',
  `1.1 x${own}`,
  `1.1 ${own}c`,
  own,
  `1.1 cdn.test (not 1.1 ${own}, but a comment)`,
])('%s has not passed', (via) => expect(hasPassedProxy(via, own)).toBe(false));

it('nothing has passed while this fleet has no name', () => {
  expect(hasPassedProxy('1.1 undefined', undefined)).toBe(false);
});
