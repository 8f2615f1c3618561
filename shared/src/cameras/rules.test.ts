import { describe, expect, it } from 'vitest';
import { testCamera, testSource } from '../../../testing/test-camera.ts';
import { findCamera, findCameraByName, findCameraByUrl, makeRules } from './rules.ts';
import type { Source } from './source.ts';
import { UrlPattern } from './url-pattern.ts';

const camera = { ...testCamera('secret'), name: 'gate' };
const named = { name: 'gate', title: 'Gate', keepWarm: false, camera };
const rules = makeRules([camera.source], [named, { ...named, name: 'again' }]);

it('a named camera is found by its name and by its URL', () => {
  expect(findCameraByName('gate', rules)).toBe(camera);
  expect(findCameraByUrl('http://cam.test/secret.jpg', rules)).toBe(camera);
});

it('any other URL is an unnamed camera', () => {
  expect(findCameraByUrl('http://cam.test/a.jpg', rules).name).toBeUndefined();
});

it.each(['other', '', '__proto__', 'constructor'])('the unknown name %j fails with 404', (name) => {
  expect(() => findCameraByName(name, rules)).toThrow(
    expect.objectContaining({ problem: expect.objectContaining({ status: 404 }) }),
  );
});

describe('a cache-buster', () => {
  const source = (pattern: string, over: Partial<Source> = {}) =>
    testSource({ name: pattern, pattern: new UrlPattern(pattern), ...over });
  const all = source('http://cam.test/*');

  it('does not make another camera', () => {
    const urls = ['/i?t=10', '/i?t=39', '/i?_=1764413962123', '/i?1764413962123', '/i'];
    const found = urls.map((url) => findCamera(`http://cam.test${url}`, [all]));
    expect(new Set(found.map(({ cameraId }) => cameraId)).size).toBe(1);
    expect(found[0]?.url).toBe('http://cam.test/i');
  });

  it.each([
    ['its source keeps them', { cacheBusters: 'keep' }, 'http://cam.test/i?t=12'],
    ['the query policy lists it', { query: ['t'] }, 'http://cam.test/i?t=12'],
    ['the query policy lists others', { query: ['w'] }, 'http://cam.test/i'],
    ['the query policy drops all', { query: 'strip' }, 'http://cam.test/i'],
  ] as const)('follows the source where %s', (_, over, url) => {
    expect(findCamera('http://cam.test/i?t=12', [source('http://cam.test/*', over)]).url).toBe(url);
  });

  it('stays where the pattern requires it', () => {
    const sources = [source('http://cam.test/i?t=*')];
    expect(findCamera('http://cam.test/i?t=12', sources).url).toBe('http://cam.test/i?t=12');
  });

  it('does not lead to a source that keeps them', () => {
    const keeping = source('http://cam.test/i?w=1', { cacheBusters: 'keep' });
    const found = findCamera('http://cam.test/i?w=1&t=12', [keeping, all]);
    expect([found.url, found.source]).toEqual(['http://cam.test/i?w=1&t=12', all]);
  });

  it('does not get a URL rejected that is allowed without it', () => {
    const exact = source('http://cam.test/i?w=1');
    expect(findCamera('http://cam.test/i?w=1&t=12', [exact]).url).toBe('http://cam.test/i?w=1');
    const keeping = { ...exact, cacheBusters: 'keep' as const };
    expect(() => findCamera('http://cam.test/i?w=1&t=12', [keeping])).toThrow(/not allowed/);
  });

  it('leads to a named camera of the URL without it, or exactly with it', () => {
    const nameOf = (url: string, named: string) => {
      const camera = {
        ...testCamera('x'),
        ...findCamera(named, [{ ...all, cacheBusters: 'keep' }]),
      };
      const rules = makeRules([all], [{ name: 'n', title: '', keepWarm: false, camera }]);
      return findCameraByUrl(url, rules) === camera;
    };
    expect(nameOf('http://cam.test/i?t=12', 'http://cam.test/i')).toBe(true);
    expect(nameOf('http://cam.test/i?t=12', 'http://cam.test/i?t=12')).toBe(true);
    expect(nameOf('http://cam.test/i?t=13', 'http://cam.test/i?t=12')).toBe(false);
    expect(nameOf('http://cam.test/i', 'http://cam.test/i?t=12')).toBe(false);
  });
});
