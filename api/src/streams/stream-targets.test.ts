import { signatureOf } from '@lastframe/shared/cameras/url-signature';
import type { ProblemError } from '@lastframe/shared/process/errors';
import { describe, expect, it } from 'vitest';
import { type GivenTargets, readTargets } from './stream-targets.ts';

const key = 'a key for tests only';
const nowMs = 1_790_000_000_000;
const [a, b] = ['http://cam.test/a.jpg', 'http://cam.test/b.jpg'];
const later = String(nowMs / 1000 + 60);
const none: GivenTargets = { camera: [], url: [], sig: [], exp: [] };
const sign = (url: string, exp = '') => signatureOf(url, exp, key);
const read = (given: Partial<GivenTargets>, with_ = key) =>
  readTargets({ ...none, ...given }, { key: with_, nowMs });
const statusOf = (given: Partial<GivenTargets>) => {
  try {
    read(given);
    return 200;
  } catch (error) {
    return (error as ProblemError).problem.status;
  }
};

describe('the cameras of a stream', () => {
  it('are those given by name and by URL, each once', () => {
    const labels = read({ camera: ['x', 'y', 'x'], url: [a, a] }, '').map(({ label }) => label);
    expect(labels).toEqual([{ camera: 'x' }, { camera: 'y' }, { url: a }]);
  });

  it('must include at least one', () => {
    expect(statusOf({})).toBe(400);
  });

  it('need one signature per url, in the same order; names need none', () => {
    expect(statusOf({ camera: ['x'] })).toBe(200);
    expect(statusOf({ url: [a, b], sig: [sign(a), sign(b)] })).toBe(200);
    expect(statusOf({ url: [a, b], sig: [sign(b), sign(a)] })).toBe(403);
    expect(statusOf({ url: [a, b], sig: [sign(a)] })).toBe(403);
    expect(statusOf({ url: [a], sig: [sign(a), sign(b)] })).toBe(403);
    expect(statusOf({ url: [a] })).toBe(403);
  });

  it('may each have an expiry or none', () => {
    const targets = read({ url: [a, b], sig: [sign(a, later), sign(b)], exp: [later, ''] });
    expect(targets.map(({ leftMs }) => leftMs)).toEqual([60_000, undefined]);
    const one = { url: [a, b], sig: [sign(a, later), sign(b)], exp: [later] };
    expect(statusOf(one)).toBe(403); // which url does it belong to?
    const past = String(nowMs / 1000 - 1);
    expect(statusOf({ url: [a], sig: [sign(a, past)], exp: [past] })).toBe(403);
  });

  it('need no signatures when no key is set', () => {
    expect(read({ url: [a], sig: ['x', 'y'] }, '')).toHaveLength(1);
  });
});
