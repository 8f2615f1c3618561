import { describe, expect, it } from 'vitest';
import { testDefaults, testSource } from '../../../testing/test-camera.ts';
import { ProblemError } from '../process/errors.ts';
import { findCamera } from './rules.ts';
import { parseNetwork, sourcesFromPatterns } from './source.ts';
import { UrlPattern } from './url-pattern.ts';

const sourcesOf = (...patterns: string[]) => sourcesFromPatterns(patterns, testDefaults);

function allows(pattern: string, url: string): boolean {
  try {
    findCamera(url, sourcesOf(pattern));
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.problem.status === 403) return false;
    throw error;
  }
}

describe('a pattern', () => {
  it.each([
    ['http://localhost:8888/*', 'http://localhost:8888/image', true],
    ['http://localhost:8888/*', 'http://localhost:8888/image?delay=1s', true],
    ['http://localhost:8888/*', 'http://LOCALHOST.:8888/image', true],
    ['http://localhost:8888/*', 'http://localhost/image', false],
    ['http://localhost:8888/*', 'https://localhost:8888/image', false],
    ['http://localhost:8888/*', 'http://127.0.0.1:8888/image', false],
    ['http://localhost.:8888/*', 'http://localhost:8888/image', true],
    ['http://localhost./*', 'http://localhost/image', true],
    ['http://CAMS.example.com/*', 'http://cams.example.com/i', true],
    ['http://cams.example.com', 'http://cams.example.com/i?a=1', true],
    ['http://cams.example.com/*', 'http://cams.example.com.evil.test/i', false],
    ['http://cams.example.com/*', 'http://evil.test/cams.example.com/i', false],
    ['http://cams.example.com/*', 'http://cams.example.com:8080/i', false],
    ['http://*.example.com/*', 'http://a.b.example.com/i', true],
    ['http://*.example.com/*', 'http://example.com/i', false],
    ['http://*.example.com/*', 'http://evil.test/.example.com/i', false],
    ['http://[::1]:8888/*', 'http://[::1]:8888/image', true],
    ['http://[0:0::1]:8888/*', 'http://[::1]:8888/image', true],
    ['http://[::1]/*', 'http://[::1]/image', true],
    ['http://[::1]:8888/*', 'http://[::2]:8888/image', false],
    ['http://10.0.0.1/*', 'http://10.0.0.1/i', true],
    ['http://10.0.0.1/*', 'http://10.0.0.10/i', false],
    ['http://10.0.0.1:*/*', 'http://10.0.0.1:8080/i', true],
    ['http://*/*', 'http://cam.test/i', true],
    ['http://*/*', 'http://cam.test:8080/i', false],
    ['http://*:8080/*', 'http://cam.test:8080/i', true],
    ['http://*:*/*', 'http://cam.test:8080/i', true],
    ['https://cam.test:443/*', 'https://cam.test/i', true],
    ['http://cam.test/a/*', 'http://cam.test/a/../b', false],
    ['http://cam.test/a/*', 'http://cam.test/%61/i', true],
    ['http://cam.test/*\\?w=*', 'http://cam.test/i?w=1', true],
    ['http://cam.test/*\\?w=*', 'http://cam.test/i', false],
    ['http://cam.test/*?w=1', 'http://cam.test/i?w=1', true],
    ['http://cam.test/i.jpg?w=*', 'http://cam.test/i.jpg?w=1', true],
  ])('%s tested with %s returns %j', (pattern, url, allowed) => {
    expect(allows(pattern, url)).toBe(allowed);
  });

  it.each([
    ['localhost:8888/*', 'it must begin with http:// or https:// and a host'],
    ['cams.example.com/*', 'it must begin with http:// or https:// and a host'],
    ['*', 'it must begin with http:// or https:// and a host'],
    ['ftp://cams.example.com/*', 'it must begin with http:// or https:// and a host'],
    ['http:///*', 'it must begin with http:// or https:// and a host'],
    ['http://me:pw@cams.example.com/*', 'it contains credentials; remove them'],
    ['http://10.0.0.*/*', /^\* cannot be used in a numeric host/],
    ['http://10.0.0.*:8080/*', /^\* cannot be used in a numeric host/],
    ['http://10.0.0.*:*/*', /^\* cannot be used in a numeric host/],
    ['http://10.*/*', /^\* cannot be used in a numeric host/],
    ['http://*.0.0.1', /^\* cannot be used in a numeric host/],
    ['http://[::1/*', 'its host is not a valid host name or address'],
    ['http://[*]/*', 'its host is not a valid host name or address'],
    ['http://[::g]/*', 'its host is not a valid host name or address'],
    ['http://cam test/*', 'it has a space or a control character in it; percent-encode it'],
  ])('is rejected with a sentence when it is %s', (pattern, sentence) => {
    expect(() => new UrlPattern(pattern)).toThrow(TypeError);
    expect(() => new UrlPattern(pattern)).toThrow(sentence);
  });

  it('names its source, which has the defaults', () => {
    expect(sourcesOf('http://a.test/*', 'http://b.test/*')).toEqual([
      { ...testDefaults, name: 'http://a.test/*', pattern: expect.any(UrlPattern) },
      { ...testDefaults, name: 'http://b.test/*', pattern: expect.any(UrlPattern) },
    ]);
  });
});

describe('findCamera', () => {
  it('returns the first source that matches', () => {
    const [narrow, wide] = sourcesOf('http://cam.test/a/*', 'http://cam.test/*');
    const sources = [narrow, wide].filter((source) => source !== undefined);
    expect(findCamera('http://cam.test/a/i', sources).source).toBe(narrow);
    expect(findCamera('http://cam.test/b/i', sources).source).toBe(wide);
    expect(findCamera('http://cam.test/a/i', sources.toReversed()).source).toBe(wide);
  });

  it("applies the source's query policy", () => {
    const sources = [testSource({ query: 'strip' })];
    expect(findCamera('http://cam.test/i?t=1', sources).url).toBe('http://cam.test/i');
  });

  it.each([[[]], [['http://other.test/*']]])(
    'rejects with 403 when the sources are %j',
    (patterns) => {
      const ask = () => findCamera('http://cam.test/i?secret=1', sourcesOf(...patterns));
      expect(ask).toThrow(ProblemError);
      expect(ask).toThrow(
        expect.objectContaining({
          problem: {
            status: 403,
            code: 'source-not-allowed',
            detail:
              'this url is not allowed here; the operator of this server sets the allowed sources (ALLOWED_SOURCES)',
          },
        }),
      );
    },
  );

  it('rejects a bad URL with 400 before it searches for a source', () => {
    expect(() => findCamera('nonsense', [])).toThrow(
      expect.objectContaining({ problem: expect.objectContaining({ status: 400 }) }),
    );
  });
});

describe('parseNetwork', () => {
  it.each([
    ['10.20.0.0/16', '10.20.0.0', 16],
    ['127.0.0.1', '127.0.0.1', 32],
    ['::1', '::1', 128],
    ['fd00::/8', 'fd00::', 8],
  ])('reads %s', (text, address, bits) => {
    const network = parseNetwork(text);
    expect([String(network?.[0]), network?.[1]]).toEqual([address, bits]);
  });

  it.each(['', '10', '10.0', '0x7f.0.0.1', '10.0.0.0/33', '::1/129', 'localhost', '10.0.0.*'])(
    'rejects %j',
    (text) => expect(parseNetwork(text)).toBeUndefined(),
  );
});
