import { expect, it } from 'vitest';
import { etagOf } from './etag.ts';

it('derives a strong ETag from the bytes alone', () => {
  expect(etagOf(Buffer.from('test'))).toBe('"sha256-9f86d081884c7d659a2feaa0c55ad015"');
  expect(etagOf(Buffer.from('test'))).toBe(etagOf(Buffer.from('test')));
  expect(etagOf(Buffer.from('Test'))).not.toBe(etagOf(Buffer.from('test')));
});
