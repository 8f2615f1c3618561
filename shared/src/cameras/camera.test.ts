import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testSource } from '../../../testing/test-camera.ts';
import { ProblemError } from '../process/errors.ts';
import { cameraIdOf, cameraOf, parseCameraUrl } from './camera.ts';
import type { QueryPolicy } from './source.ts';

function canonical(text: string, query: QueryPolicy = 'keep'): string {
  return cameraOf(parseCameraUrl(text), testSource({ query })).url;
}

function problemOf(text: string) {
  try {
    parseCameraUrl(text);
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
  return undefined;
}

describe('the canonical form', () => {
  it.each([
    ['http://cam.test', 'http://cam.test/'],
    ['HTTP://CAM.Test/Im.JPG', 'http://cam.test/Im.JPG'],
    ['http://cam.test:80/i', 'http://cam.test/i'],
    ['https://cam.test:443/i', 'https://cam.test/i'],
    ['http://cam.test:443/i', 'http://cam.test:443/i'],
    ['http://cam.test./i', 'http://cam.test/i'],
    ['http://cam.test../i', 'http://cam.test/i'],
    ['http://cam%2etest%2e/i', 'http://cam.test/i'],
    ['http://127.0.0.1./i', 'http://127.0.0.1/i'],
    ['http://127.1/i', 'http://127.0.0.1/i'],
    ['http://0x7f.1../i', 'http://127.0.0.1/i'],
    ['http://[0:0::1]/i', 'http://[::1]/i'],
    ['http://bücher.test/i', 'http://xn--bcher-kva.test/i'],
    ['http://cam.test/i#top', 'http://cam.test/i'],
    ['http://cam.test/i?', 'http://cam.test/i'],
    ['http://cam.test/i?#', 'http://cam.test/i'],
    ['http://cam.test/a/../i', 'http://cam.test/i'],
    ['http://cam.test/a/%2e%2E/i', 'http://cam.test/i'],
    ['http://cam.test/im%61ge%2ejpg', 'http://cam.test/image.jpg'],
    ['http://cam.test/a%2fb', 'http://cam.test/a%2Fb'],
    ['http://cam.test/%25%36%31', 'http://cam.test/%2561'],
    ['http://cam.test/ü', 'http://cam.test/%C3%BC'],
    ['http://cam.test/?%77=%31&h=%2f', 'http://cam.test/?w=1&h=%2F'],
    ['http://cam.test/??', 'http://cam.test/??'],
    ['http://@cam.test/i', 'http://cam.test/i'],
    ['http:cam.test/i', 'http://cam.test/i'],
  ])('of %s is %s', (text, url) => expect(canonical(text)).toBe(url));

  it.each([
    ['keep', 'http://cam.test/i?h=2&t=9&w=1', 'http://cam.test/i?h=2&t=9&w=1'],
    ['strip', 'http://cam.test/i?h=2&t=9&w=1', 'http://cam.test/i'],
    [['w', 'h'], 'http://cam.test/i?h=2&t=9&w=1', 'http://cam.test/i?w=1&h=2'],
    [['w', 'h'], 'http://cam.test/i?w=1&h=2', 'http://cam.test/i?w=1&h=2'],
    [['w'], 'http://cam.test/i?%77=1&w&w=2', 'http://cam.test/i?w=1&w&w=2'],
    [['a b'], 'http://cam.test/i?a+b=1&a%20b=2', 'http://cam.test/i?a+b=1&a%20b=2'],
    [['w'], 'http://cam.test/i?ww=1', 'http://cam.test/i'],
    [[], 'http://cam.test/i?w=1', 'http://cam.test/i'],
    [['w', 'w'], 'http://cam.test/i?w=1', 'http://cam.test/i?w=1'],
  ] as const)('under the query policy %j of %s is %s', (query, text, url) => {
    expect(canonical(text, query)).toBe(url);
  });

  it('determines the id: the first 32 hex digits of its SHA-256', () => {
    expect(cameraIdOf('http://cam.test/i')).toBe('7bcba4a40c53720181b71479a0956a99');
    const source = testSource();
    const camera = cameraOf(parseCameraUrl('http://CAM.test/i#x'), source);
    expect(camera).toEqual({
      cameraId: cameraIdOf('http://cam.test/i'),
      url: 'http://cam.test/i',
      source,
    });
  });
});

describe('a URL is rejected with a sentence when it', () => {
  it.each([
    ['is empty', '', 'url is empty; give the URL of an image, as in ?url=https://…'],
    ['has a space', 'http://cam.test/a b', /has a space.* %20, write %2520.* \+, write %2B/],
    [
      'begins with a space',
      ' http://cam.test/',
      'url begins or ends with white space; leave it out',
    ],
    ['ends with a line break', 'http://cam.test/\r\n', /begins or ends with white space/],
    ['has a line break', 'http://cam.test/a\nb', 'url has a control character in it; leave it out'],
    ['has a NUL', 'http://cam.test/\u0000', /has a control character/],
    ['has a backslash', 'http:\\\\cam.test\\i', 'url has a backslash in it; write / instead'],
    ['has no scheme', 'cam.test/i.jpg', /absolute.*; write http:\/\/ or https:\/\/ first/],
    ['has a host and a port only', 'localhost:8888/i', /write http:\/\/ or https:\/\/ first/],
    ['is an address', '192.168.1.20', /write http:\/\/ or https:\/\/ first/],
    ['is an IPv6 address', '[::1]:80/i', /write http:\/\/ or https:\/\/ first/],
    [
      'has two slashes first',
      '//cam.test/i',
      'url begins with //; write http: or https: in front of it',
    ],
    ['has two schemes', 'http://http://cam.test/i', /begins with http:\/\/ or https:\/\/ twice/],
    ['has two schemes, one alone', 'http:http://cam.test/i', /twice; write it only once/],
    ['has two schemes, one with dots', 'http://HTTP.://cam.test/i', /twice; write it only once/],
    ['has two schemes, one without colon', 'https://http//cam.test/i', /twice; write it only once/],
    ['is in quotes', '"http://cam.test/i"', /in quotes or brackets; leave them out/],
    ['is in typographic quotes', '\u201chttp://cam.test/i\u201d', /in quotes or brackets/],
    ['is in angle brackets', '<http://cam.test/i>', /in quotes or brackets/],
    ['ends with a quote', 'http://cam.test/i"', /in quotes or brackets/],
    ['is a placeholder', '<camera URL>', /in quotes or brackets/],
    ['is encoded twice', 'http%3A%2F%2Fcam.test%2Fi', /percent-encoded twice; encode it only once/],
    ['is encoded three times', 'HTTP%253a%252F%252fcam.test', /percent-encoded twice/],
    ['is encoded twice in part', 'http:%2F%2Fcam.test/i', /percent-encoded twice/],
    ['has an encoded colon', 'http%3A//cam.test/i', /percent-encoded twice/],
    ['has an encoded slash behind the host', 'http://cam.test%2Fi.jpg', /percent-encoded twice/],
    ['has an encoded port', 'http://cam.test%3A8080/i', /percent-encoded twice/],
    ['is an encoded stream', 'rtsp%3A%2F%2Fcam.test', /percent-encoded twice/],
    ['has an HTML escape', 'http://cam.test/i?a=1&amp;b=2', /&amp; in it.*%26/],
    ['has an escaped HTML escape', 'http://cam.test/i?a=1&am%70;b=2', /&amp; in it.*%26/],
    ['has a bad port', 'http://cam.test:65536/', /a host or a port that is not valid/],
    ['has a bad address', 'http://256.1.1.1/', /a host or a port that is not valid/],
    [
      'has another scheme',
      'ftp://cam.test/i',
      /^url must begin with http:\/\/ or https:\/\/, not ftp:/,
    ],
    ['is a script', 'javascript:alert(1)', /^url must begin with http.*, not javascript:/],
    ['is a file', 'file:///etc/passwd', /^url must begin with http.*, not file:/],
    ['holds an image', 'data:image/png;base64,s3cret', /^url must begin with http.*, not data:/],
    ['has a typing error', 'htpp://cam.test', /^url must begin with http[^a]*; give the URL/],
    ['begins with a secret', 's3cret:x', /^url must begin with http[^a]*; give the URL/],
    ['has a long scheme', `${'a'.repeat(99)}:s3cret`, /^url must begin with http[^a]*; give/],
    ['is an RTSP stream', 'rtsp://me:s3cret@cam.test/1', /cannot read RTSP; put go2rtc or another/],
    ['is an RTMP stream', 'RTMP://cam.test/1', /cannot read RTMP; .* its http:\/\/ snapshot URL/],
    ['is an ONVIF address', 'onvif://cam.test', /cannot read ONVIF; put go2rtc/],
    ['is a WebSocket', 'wss://cam.test/', /cannot read WebSockets; put go2rtc/],
    ['has a user', 'http://me@cam.test/', /a user name or a password .*leave them out.*auth:/],
    ['has a password', 'http://:s3cret@cam.test/', /auth: for the source in SOURCES_FILE/],
    ['has port 0', 'http://cam.test:0/', 'url has port 0'],
    ['has no host', 'http://./', 'url has no host'],
    ['has only dots as host', 'http://%2e%2e/', 'url has no host'],
    [
      'has dots after a bad host',
      'http://256.0.0.1../',
      /a host that is neither a name nor an address/,
    ],
    ['has a bare %', 'http://cam.test/100%', /a % that is not followed by two hexadecimal digits/],
    ['has a bad escape', 'http://cam.test/?q=%zz', /a % that is not followed by two/],
  ])('%s', (_, text, detail) => {
    const problem = problemOf(text);
    expect(problem).toMatchObject({ status: 400, code: 'invalid-url' });
    expect(problem?.detail).toMatch(detail);
    expect(problem?.detail).not.toContain('s3cret');
  });

  it('is longer than 4096 bytes, but not if it is exactly as long', () => {
    const base = 'http://cam.test/';
    expect(problemOf(base.padEnd(4096, 'x'))).toBeUndefined();
    expect(problemOf(base.padEnd(4097, 'x'))?.detail).toBe('url is longer than 4096 bytes');
    expect(problemOf(`${base}${'€'.repeat(1361)}`)?.detail).toBe('url is longer than 4096 bytes');
  });

  it('is longer than 4096 bytes in its canonical form, which the worker parses again', () => {
    const urlOf = (count: number) => `http://cam.test/${'ü'.repeat(count)}`;
    expect(problemOf(urlOf(680))).toBeUndefined();
    expect(Buffer.byteLength(urlOf(681))).toBeLessThan(1400);
    expect(problemOf(urlOf(681))?.detail).toBe('url is longer than 4096 bytes');
  });
});

const UNRESERVED = 'abcXYZ019-._~';
const segments = fc.array(
  fc.oneof(
    fc.constantFrom(...UNRESERVED),
    fc.constantFrom('!', '$', '&', '+', ',', ';', '=', ':', '@', '%2F', '%25', '%3D', '|', 'ü'),
  ),
  { maxLength: 12 },
);
const paths = fc.array(segments, { maxLength: 3 });
const policies = fc.constantFrom<QueryPolicy[]>('keep', 'strip', ['w', 'h'], ['h', 'a b', 'w']);

describe('for any URL', () => {
  const hosts = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.stringMatching(/^[0-9a-fx.]{1,12}$/),
  );
  const urls = fc
    .tuple(
      fc.constantFrom('http', 'https', 'HTTP'),
      hosts,
      fc.constantFrom('', '.', ':80', ':443', ':8080', '.:8080', '..'),
      fc.oneof(fc.webPath(), fc.string({ unit: 'binary-ascii', maxLength: 20 })),
      fc.oneof(fc.webQueryParameters(), fc.string({ unit: 'grapheme', maxLength: 20 })),
      fc.constantFrom('', '#', '#a'),
    )
    .map(
      ([scheme, host, port, path, query, hash]) =>
        `${scheme}://${host}${port}/${path}?${query}${hash}`,
    );

  it('the canonical form is stable, or the URL is rejected with 400', () => {
    fc.assert(
      fc.property(urls, policies, (text, query) => {
        const problem = problemOf(text);
        const once = problem ? '' : canonical(text, query);
        if (problem) expect(problem.status).toBe(400);
        else expect(canonical(once, query)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  it('the canonical form has no credentials, fragment, trailing dot or lower-case escape', () => {
    fc.assert(
      fc.property(urls, policies, (text, query) => {
        if (problemOf(text)) return;
        const url = new URL(canonical(text, query));
        expect([url.username, url.password, url.hash]).toEqual(['', '', '']);
        expect(url.hostname).not.toMatch(/\.$|[A-Z]/);
        expect(url.pathname + url.search).not.toMatch(/%([0-9a-f]?[a-f][0-9a-f]?)/);
      }),
    );
  });
});

describe('two spellings of one camera', () => {
  const flips = fc.infiniteStream(fc.boolean());

  /** Escapes some of the unreserved characters, in either case, and lowers the case of escapes. */
  function spell(text: string, flip: () => boolean): string {
    return text.replace(/%[0-9A-F]{2}|[\w.~-]/g, (part) => {
      const escaped =
        part.length === 3
          ? part
          : `%${part.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
      if (part.length === 1 && !flip()) return part;
      return flip() ? escaped.toLowerCase() : escaped;
    });
  }

  it('have one id', () => {
    fc.assert(
      fc.property(paths, segments, flips, (path, query, stream) => {
        const flip = () => stream.next().value;
        const tail = path.map((parts) => parts.join('')).join('/');
        const search = query.join('');
        const plain = `http://cam.test/${tail}${search && `?${search}`}`;
        fc.pre(!problemOf(plain)); // as `%2501` is
        const host = [...'cam.test'].map((char) => (flip() ? char.toUpperCase() : char)).join('');
        const head = `${flip() ? 'http' : 'HTTP'}://${host}${flip() ? '.' : ''}${flip() ? ':80' : ''}`;
        const end = search ? `?${spell(search, flip)}` : flip() ? '?' : '';
        const other = `${head}/${spell(tail, flip)}${end}${flip() ? '#x' : ''}`;
        expect(canonical(other)).toBe(canonical(plain));
        expect(cameraIdOf(canonical(other))).toBe(cameraIdOf(canonical(plain)));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['http://cam.test/i', 'https://cam.test/i'],
    ['http://cam.test/i', 'http://cam.test/I'],
    ['http://cam.test/i', 'http://cam.test/i/'],
    ['http://cam.test/i', 'http://cam.test:8080/i'],
    ['http://cam.test/a/b', 'http://cam.test/a%2Fb'],
    ['http://cam.test/?a=1&b=2', 'http://cam.test/?b=2&a=1'],
    ['http://cam.test/?a', 'http://cam.test/?a='],
  ])('are not %s and %s', (one, other) => expect(canonical(one)).not.toBe(canonical(other)));
});
