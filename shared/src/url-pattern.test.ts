import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UrlPattern } from './url-pattern.ts';

describe('a pattern', () => {
  it.each([
    ['http://*.example.com/*', 'http://a.example.com/', true],
    ['http://*.example.com/*', 'http://aexample.com/', false],
    ['http://*.example.com/*', 'http://a.example.com.evil.test/', false],
    ['http://*.example.com:*/*', 'http://a.example.com:81/', true],
    ['http://*.local/*', 'http://cam.local/', true],
    ['http://cam-*.example.com/*', 'http://cam-7.example.com/', true],
    ['http://cam-*.example.com/*', 'http://cam-7.evil.example.com/', false],
    ['http://cam-*.example.com/*', 'http://a.cam-7.example.com/', false],
    ['http://*.cam-*.example.com/*', 'http://a.b.cam-7.example.com/', true],
    ['http://*.BÜCHER.test/*', 'http://a.xn--bcher-kva.test/', true],
    ['http://0x7f.1/*', 'http://127.0.0.1/', true],
    ['https://cams.example.com:*/*', 'https://cams.example.com/', true],
    ['https://cams.example.com:*', 'https://cams.example.com:8443/a?b', true],
    ['http://[::1]:*/*', 'http://[::1]:8080/', true],
    ['http://*:*/*', 'http://[::1]:8080/', true],
    ['http://*/*', 'http://[::1]:8080/', false],
    ['http://cam.test/', 'http://cam.test/', true],
    ['http://cam.test/', 'http://cam.test/a', false],
    ['http://cam.test/live/*.jpg', 'http://cam.test/live/a/b.jpg', true],
    ['http://cam.test/live/*.jpg', 'http://cam.test/live/a.jpg?x=.png', true],
    ['http://cam.test/live/*.jpg', 'http://cam.test/live/a?x=.jpg', false],
    ['http://cam.test/a*a', 'http://cam.test/a', false],
    ['http://cam.test/*/*/*.jpg', 'http://cam.test/a/b/c.jpg', true],
    ['http://cam.test/i?', 'http://cam.test/i', true],
    ['http://cam.test/i?', 'http://cam.test/i?a', false],
    ['http://cam.test/*?w=*', 'http://cam.test/i?w=1&h=2', true],
    ['http://cam.test/i?*', 'http://cam.test/i', true],
    ['http://cam.test/*?w=*', 'http://cam.test/i?h=2&w=1', false],
    ['http://cam.test/a\\:b\\(1\\)', 'http://cam.test/a:b(1)', true],
    ['http://cam.test/a+b', 'http://cam.test/a+b', true],
    ['http://cam.test/%61/*', 'http://cam.test/a/b', true],
    ['http://cam.test/ü/*', 'http://cam.test/%C3%BC/b', true],
  ])('%s for %s says %j', (pattern, href, expected) => {
    expect(new UrlPattern(pattern).test(href)).toBe(expected);
  });

  it.each([
    ['https://cams.example.com*', /end the host with a \//],
    ['https://cams.example.com*/', /end the host with a \//],
    ['https://cams.*', /end the host with a \//],
    ['https://cams.example.*/', /end the host with a \//],
    ['https://cams.*.com/', /end the host with a \//],
    ['https://*.example.*/', /end the host with a \//],
    ['https://*.*/', /end the host with a \//],
    ['https://cam*/', /end the host with a \//],
    ['https://cam-*.local/', /end the host with a \//],
    ['https://*cams.example.com/', /write \*\.cams\.example\.com for the hosts below it/],
    ['https://*-cams.example.com./', /write \*\.cams\.example\.com for the hosts below it/],
    ['https://bü*.cams.example.com/', /not a valid host/],
    ['https://%2a.example.com/*', /not a valid host/],
    ['https://a%40*.cams.example.com/', /not a valid host/],
    ['https://cam-*.0.0.1/', /not a valid host/],
    ['http://cams.example.com\\@evil.test/*', 'it has credentials in it'],
    ['http://cams.example.com\\', /not a valid host/],
    ['http://me:*@cams.example.com/*', 'it has credentials in it'],
    ['http://*@cams.example.com/*', 'it has credentials in it'],
    ['http*://cams.example.com/*', /must begin with http/],
    ['*://cams.example.com/*', /must begin with http/],
    ['http{s}?://cams.example.com/*', /must begin with http/],
    ['http://cams.example.com:80*/', 'its port must be a number, or * for every port'],
    ['http://cams.example.com:/', 'its port must be a number, or * for every port'],
    ['http://cams.example.com:0/', 'its port must be a number, or * for every port'],
    ['http://cams.example.com:65536/', 'it is not a valid URL'],
    ['http://cams.example.com/:a/:b', /names like :id are not supported/],
    ['http://cams.example.com/((a+)+)', /\( \) \{ \} are not supported/],
    ['http://cams.example.com/{a}?', /\( \) \{ \} are not supported/],
    ['http://cams.example.com/*+', 'write one * in place of ** or *+'],
    ['http://cams.example.com/**', 'write one * in place of ** or *+'],
    ['http://cams.example.com/\\*', 'a * can not be escaped; it matches itself too'],
    ['http://cams.example.com/*#a', 'it has a # in it; the URLs of cameras have none'],
    ['http://cams.example.com/a\\\\b', 'it has a backslash in it; write %5C'],
    ['http://cams.example.com/*\\', 'it has a backslash in it; write %5C'],
    ['http://cams.example.com/live/../*', /has a \. or \.\. segment/],
    ['http://cams.example.com/live/*/..', /has a \. or \.\. segment/],
    ['http://cams.example.com/live/..%2F*', /has a \. or \.\. segment/],
    ['http://cams.example.com/a b', /a space or a control character/],
    ['http://cams.example.com/a\tb', /a space or a control character/],
  ])('%s is refused with words that say what to write', (pattern, words) => {
    expect(() => new UrlPattern(pattern)).toThrow(TypeError);
    expect(() => new UrlPattern(pattern)).toThrow(words);
  });
});

describe('next to URLPattern', () => {
  const hosts = ['cam.test', 'a.cam.test', 'cam-1.a.test', '127.0.0.1', '[::1]', 'cam'];
  const hostPatterns = ['*', '*.test', '*.cam.test', 'cam-*.a.test', ...hosts];
  const ports = ['', ':8080'];
  const pieces = fc.constantFrom('/', 'a', 'b', '.jpg', '-', '%20', 'live', ';', '~', ',', '=x');
  const text = (extra: string[], maxLength = 6) =>
    fc
      .array(fc.oneof(pieces, ...extra.map((one) => fc.constant(one))), { maxLength })
      .map((parts) => parts.join('').replace(/\*+/g, '*'));
  const queries = (extra: string[]) => fc.option(text(['=', '&', ...extra], 4), { nil: undefined });
  const urls = fc
    .tuple(fc.constantFrom(...hosts), fc.constantFrom(...ports), text([]), queries([]))
    .map(([host, port, path, query]) => `http://${host}${port}/${path}${query ? `?${query}` : ''}`);
  const patterns = fc.tuple(
    fc.constantFrom(...hostPatterns),
    fc.constantFrom(...ports, ':*'),
    text(['*']),
    queries(['*']),
  );

  it('an ordinary pattern has the same verdict on any URL', () => {
    let matches = 0;
    fc.assert(
      fc.property(patterns, urls, ([host, port, path, query], url) => {
        const href = new URL(url).href;
        const start = `http://${host}${port}/${path}`;
        const ours = new UrlPattern(query === undefined ? start : `${start}?${query}`);
        const theirs = new URLPattern({
          protocol: 'http',
          hostname: host.replaceAll(/[[\]]/g, '').includes('::') ? '[\\:\\:1]' : host,
          port: port.slice(1),
          pathname: `/${path}`,
          search: query ?? '*',
        });
        const verdict = ours.test(href);
        if (verdict) matches += 1;
        expect([href, verdict]).toEqual([href, theirs.test(href)]);
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 1500) },
    );
    expect(matches).toBeGreaterThan(10);
  });
});
