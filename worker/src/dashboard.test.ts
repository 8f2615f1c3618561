import { expect, it } from 'vitest';
import { displayDataOf, displayNameOf } from './dashboard.ts';

const cameraId = '0123456789abcdef0123456789abcdef';
const base = { v: 1, cameraId, askedAtMs: 1_790_000_000_000 };
const askedAt = '2026-09-21T14:13:20.000Z';

it('a named camera is shown by its name', () => {
  const job = { ...base, name: 'north-runway' };
  expect(displayNameOf(job)).toBe('north-runway');
  expect(displayDataOf(job)).toEqual({ camera: 'north-runway', cameraId, askedAt });
});

it('an unnamed camera is shown by its id, and its URL without possible secrets', () => {
  const job = { ...base, url: 'http://user:word@cam.test:81/n.jpg?token=secret#more' };
  expect(displayNameOf(job)).toBe(cameraId);
  expect(displayDataOf(job)).toEqual({ url: 'http://cam.test:81/n.jpg?…', cameraId, askedAt });
  const plain = { ...base, url: 'http://cam.test/n.jpg' };
  expect(displayDataOf(plain)).toMatchObject({ url: 'http://cam.test/n.jpg' });
  expect(displayDataOf({ ...base, url: 'secret' })).toMatchObject({ url: 'invalid URL' });
});

it.each([
  undefined,
  null,
  'secret',
  { password: 'secret' },
  { ...base, cameraId: 'secret', url: '' },
])('a payload that is not a refresh job (%j) shows nothing', (payload) => {
  expect(displayNameOf(payload)).toBe('invalid refresh job');
  expect(displayDataOf(payload)).toEqual({});
});
