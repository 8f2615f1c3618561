import { cameraIdOf } from '@lastframe/shared/cameras/camera';
import { makeRules } from '@lastframe/shared/cameras/rules';
import type { RedirectPolicy, Source } from '@lastframe/shared/cameras/source';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import { describe, expect, it } from 'vitest';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { type RedirectTarget, redirectTargetOf, targetCamera } from './redirect.ts';

const LATEST = 'http://cam.test/latest.jpg';
const sourceOf = (pattern: string, differences: Partial<Source> = {}) =>
  testSource({ name: pattern, pattern: new UrlPattern(pattern), ...differences });

/** What becomes of a redirect of http://cam.test/latest.jpg. */
function redirect(
  location: string,
  redirects: RedirectPolicy = 'same-host',
  {
    statusCode = 302,
    from,
    name,
    sources = [] as Source[],
  }: {
    statusCode?: number;
    from?: RedirectTarget;
    name?: string;
    sources?: Source[];
  } = {},
) {
  const source = sourceOf('http://cam.test/*', { redirects });
  const camera = { ...testCamera(LATEST, source), ...(name && { name }) };
  const capture = { outcome: 'redirected', statusCode, location } as const;
  return redirectTargetOf(capture, camera, from, makeRules([source, ...sources]));
}
const target = (url: string, differences: Partial<RedirectTarget> = {}) => ({
  url,
  hops: 1,
  isPermanent: false,
  ...differences,
});

describe('a redirect leads', () => {
  it.each([
    ['to a path', '/20261128.jpg', 'http://cam.test/20261128.jpg'],
    ['to a relative path', '20261128.jpg?a=b', 'http://cam.test/20261128.jpg?a=b'],
    ['to a name beyond ASCII', '/caf\xc3\xa9.jpg', 'http://cam.test/caf%C3%A9.jpg'],
    ['to a name with a space', '/a b.jpg', 'http://cam.test/a%20b.jpg'],
    ['to a whole URL', 'http://cam.test:80/a.jpg#part', 'http://cam.test/a.jpg'],
    ['to a query that its source would ignore', '?t=1764400000', `${LATEST}?t=1764400000`],
  ])('%s', (_, location, url) => expect(redirect(location)).toEqual(target(url)));

  it('from the target of another one', () => {
    const from = target('http://cam.test/dir/', { hops: 2 });
    expect(redirect('b.jpg', 'same-host', { from })).toEqual(
      target('http://cam.test/dir/b.jpg', { hops: 3 }),
    );
  });

  it('to another host that a pattern allows and that has a source', () => {
    const redirects = [new UrlPattern('https://cdn.test/live/*')];
    const sources = [sourceOf('https://cdn.test/*')];
    const url = 'https://cdn.test/live/1.jpg';
    expect(redirect(url, redirects, { sources })).toEqual(target(url));
  });

  it('for good only if the camera has moved as a whole', () => {
    const sources = [sourceOf('https://cam.test/*')];
    const after = (statusCode: number, location: string) =>
      redirect(location, 'same-host', { statusCode, sources });
    for (const statusCode of [301, 308]) {
      const url = 'https://cam.test/latest.jpg';
      expect(after(statusCode, url)).toEqual(target(url, { isPermanent: true }));
      expect(after(statusCode, '/20261128.jpg')).toMatchObject({ isPermanent: false });
    }
    expect(after(302, 'https://cam.test/latest.jpg')).toMatchObject({ isPermanent: false });
  });
});

describe('a redirect fails, and names its target,', () => {
  const cdn = 'https://cdn.test/a.jpg';
  it.each<[string, string, RedirectPolicy, RegExp]>([
    [
      'without the option',
      '/a.jpg',
      'none',
      /302, a redirect to http:\/\/cam.test\/a.jpg; redirects: same-host/,
    ],
    ['to another host', cdn, 'same-host', /cdn.test\/a.jpg; redirects:/],
    ['to a host of a similar name', 'http://cam.test.evil.test/', 'same-host', /redirects:/],
    ['to what no pattern matches', cdn, [new UrlPattern('https://cdn.test/live/*')], /redirects:/],
    ['to what no source matches', cdn, [new UrlPattern('https://cdn.test/*')], /no source/],
    ['to another scheme', 'ftp://cam.test/a.jpg', 'same-host', /not a valid http/],
    ['to credentials', 'http://a:b@cam.test/', 'same-host', /not a valid http/],
    ['to nothing', 'http://', 'same-host', /not a valid http/],
    ['out of its folder', '/..%2f..%2fetc', 'same-host', /not a valid http/],
    ['to itself', LATEST, 'same-host', /same URL/],
  ])('%s', (_, location, redirects, reason) => {
    const result = redirect(location, redirects);
    expect(result).toMatchObject({ outcome: 'failed', status: 502, receivedStatus: 302 });
    expect(result).toHaveProperty('reason', expect.stringMatching(reason));
  });

  it('back to the first URL', () => {
    const result = redirect(LATEST, 'same-host', { from: target('http://cam.test/login') });
    expect(result).toHaveProperty('reason', expect.stringMatching(/same URL/));
  });

  it('after five in a row', () => {
    const result = redirect('/6', 'same-host', { from: target('http://cam.test/5', { hops: 5 }) });
    expect(result).toHaveProperty('reason', expect.stringMatching(/more than 5/));
  });

  it('but never the query of its target, or the host and path of a named camera', () => {
    const reasonOf = (location: string, name?: string) =>
      JSON.stringify(redirect(location, 'none', name === undefined ? {} : { name }));
    expect(reasonOf('/a.jpg?token=secret')).not.toContain('secret');
    expect(reasonOf('/a.jpg', 'gate')).not.toMatch(/cam\.test|a\.jpg/);
    expect(reasonOf('https://cam.test/latest.jpg', 'gate')).toMatch(/https:.* on its host/);
    expect(reasonOf('https://cam.test/latest.jpg', 'gate')).not.toMatch(/cam\.test|latest/);
    expect(reasonOf('http://192.168.1.50/a.jpg', 'gate')).toContain('a redirect to another host;');
  });

  it('in a few words, however long its target is: announcements have a limit', () => {
    const result = redirect(`https://${'a.'.repeat(100)}test/${'b'.repeat(3000)}`);
    expect(result).toHaveProperty('reason', expect.stringMatching(/^.{100,999}$/));
  });
});

describe('the target of a redirect is called', () => {
  const auth = { scheme: 'basic', username: 'u', password: 'p' } as const;
  const redirects = ['http://*.test/*', 'https://*.test/*', 'http://a.example/*'].map(
    (text) => new UrlPattern(text),
  );
  const headers = { 'X-Key': 'k' };
  const own = sourceOf('http://*.test/*', { redirects, auth, headers, timeoutMs: 900 });
  const camera = testCamera('http://a.test/latest.jpg', own);

  it('as a camera of its own, under the limits of both sources', () => {
    const other = sourceOf('https://a.test/*', { timeoutMs: 5000, startAllowanceMs: 300 });
    const url = 'https://a.test/b.jpg';
    const called = targetCamera(camera, target(url), makeRules([own, other]));
    expect(called).toMatchObject({ cameraId: cameraIdOf(url), url });
    expect(called?.source).toMatchObject({
      name: other.name,
      timeoutMs: 900,
      startAllowanceMs: 300,
    });
  });

  it('with the same permit, whatever the query is that its source ignores', () => {
    const policies = [{ cacheBusters: 'strip' }, { query: 'strip' }, { query: ['id'] }] as const;
    for (const policy of policies) {
      const rules = makeRules([{ ...own, ...policy }]);
      const idOf = (url: string) => targetCamera(camera, target(url), rules)?.cameraId;
      const ids = ['?t=1764413962123', '?t=1764413962124', ''].map((query) =>
        idOf(`http://a.test/b.jpg${query}`),
      );
      expect(new Set(ids)).toEqual(new Set([cameraIdOf('http://a.test/b.jpg')]));
    }
  });

  it('with the credentials of its own source', () => {
    const called = targetCamera(camera, target('http://a.test/b.jpg'), makeRules([own]));
    expect(called?.source).toMatchObject({ auth, headers: { 'X-Key': 'k' } });
  });

  it('without the credentials of the first host on another', () => {
    const called = targetCamera(camera, target('http://b.test/b.jpg'), makeRules([own]));
    expect(called?.source.auth).toBeUndefined();
    expect(called?.source.headers).toEqual({});
  });

  it('no longer when no source allows it any more', () => {
    expect(targetCamera(camera, target('http://a.example/'), makeRules([own]))).toBeUndefined();
  });

  it("no longer when its camera's source does not allow it any more", () => {
    const stricter = { ...own, redirects: [new UrlPattern('http://a.test/new/*')] };
    const called = targetCamera(
      { ...camera, source: stricter },
      target('http://a.test/old.jpg'),
      makeRules([stricter]),
    );
    expect(called).toBeUndefined();
  });
});
