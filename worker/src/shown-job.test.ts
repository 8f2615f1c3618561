import { expect, it } from 'vitest';
import { shownData, shownName } from './dashboard.ts';

const cameraId = '0123456789abcdef0123456789abcdef';
const base = { v: 1, cameraId, askedAtMs: 1_790_000_000_000 };
const askedAt = '2026-09-21T14:13:20.000Z';

it('a named camera is shown by its name', () => {
  const job = { ...base, name: 'north-runway' };
  expect(shownName(job)).toBe('north-runway');
  expect(shownData(job)).toEqual({ camera: 'north-runway', cameraId, askedAt });
});

it('another camera is shown by its id, and its URL without what may be a secret', () => {
  const job = { ...base, url: 'http://user:word@cam.test:81/n.jpg?token=secret#more' };
  expect(shownName(job)).toBe(cameraId);
  expect(shownData(job)).toEqual({ url: 'http://cam.test:81/n.jpg?…', cameraId, askedAt });
  const plain = { ...base, url: 'http://cam.test/n.jpg' };
  expect(shownData(plain)).toMatchObject({ url: 'http://cam.test/n.jpg' });
  expect(shownData({ ...base, url: 'secret' })).toMatchObject({ url: 'no URL' });
});

it.each([
  undefined,
  null,
  'secret',
  { password: 'secret' },
  { ...base, cameraId: 'secret', url: '' },
])('of what is no payload of ours (%j) nothing is shown', (payload) => {
  expect(shownName(payload)).toBe('no refresh job');
  expect(shownData(payload)).toEqual({});
});
