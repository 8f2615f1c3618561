import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testDefaults } from '../../../testing/test-camera.ts';
import { ProblemError } from '../process/errors.ts';
import { cameraIdOf } from './camera.ts';
import { findCamera } from './rules.ts';
import { sourcesFromPatterns } from './source.ts';

/** `make fuzz` raises it. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 500);

const HOST = 'cams.example.com';
const narrow = sourcesFromPatterns(
  [`http://${HOST}/*`, `https://${HOST}:8443/live/*`, 'http://10.0.0.1:8080/*', 'http://[::1]/*'],
  testDefaults,
);
const wide = sourcesFromPatterns(['http://*:*/*', 'https://*:*/*'], testDefaults);
const stripping = sourcesFromPatterns(['http://*:*/*'], { ...testDefaults, query: ['w', 'h'] });
/** Some keep cache-busters, and some allow a URL only with or without them. */
const mixed = [
  ...sourcesFromPatterns([`http://${HOST}/*?w=*`], { ...testDefaults, cacheBusters: 'keep' }),
  ...sourcesFromPatterns([`http://${HOST}/*?*&t=*`, `http://${HOST}/*?h=2`], testDefaults),
  ...sourcesFromPatterns(['http://*:*/i*'], { ...testDefaults, query: ['w', 't'] }),
  ...wide,
];

/** Texts that parsers disagree about, or that are not part of the camera. */
const TRICKS = [
  ...['&t=12', '?t=12', '&_=1764413962123', '?1764413962123', '&rand=0.84', '&&', '?w=1', '&h=2'],
  ...['&amp;', '&am%70;', 'http://http.', '%68ttp:', 'rtsp:', '"', '<', '+', '%20'],
  ...['@', ':', '/', '\\', '#', '?', '%', '.', '[', ']', '&', ';', ',', '|', '*', '~', '-', '_'],
  ...[
    '//',
    ':@',
    '@@',
    '..',
    '/../',
    '%2e',
    '%2E%2e',
    '%00',
    '%0d%0a',
    '%40',
    '%2f',
    '%5c',
    '%25',
    '%u0041',
  ],
  ...[
    '\0',
    '\t',
    '\n',
    '\r',
    ' ',
    '\x7f',
    '\x85',
    '\u00a0',
    '\u00ad',
    '\u200b',
    '\u202e',
    '\u2028',
    '\ufeff',
  ],
  ...[
    '\uff0e',
    '\u3002',
    '\uff61',
    '\uff0f',
    '\uff1a',
    '\uff20',
    '\uff23',
    '\u2044',
    '\u2100',
    '\ud800',
    '\udc00',
  ],
  ...[
    '①',
    '𝟏',
    'ß',
    'ſ',
    'K',
    'ℒ',
    'xn--',
    '0x',
    '0177',
    '127.1',
    '2130706433',
    '[::1]',
    '::ffff:',
    '%lo',
  ],
  ...[
    ':0',
    ':80',
    ':443',
    ':65536',
    ':-1',
    'http:',
    'https:',
    'javascript:',
    'file:',
    'data:',
    HOST,
    'evil.test',
  ],
];
const BASES = [
  `http://${HOST}/image.jpg?w=1&h=2`,
  `https://${HOST}:8443/live/a%20b`,
  'http://10.0.0.1:8080/i',
  'http://[::1]/i?x=%2F#top',
  'http://user:pw@evil.test/i',
];

/** A URL with some tricks inserted or some characters cut out. */
const mutated = fc
  .tuple(
    fc.constantFrom(...BASES),
    fc.array(
      fc.record({
        at: fc.nat(60),
        cut: fc.nat(3),
        trick: fc.oneof(fc.constantFrom(...TRICKS), fc.string({ unit: 'binary', maxLength: 3 })),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([base, edits]) =>
    edits.reduce(
      (text, { at, cut, trick }) => text.slice(0, at) + trick + text.slice(at + cut),
      base,
    ),
  );
const pieced = fc
  .array(fc.oneof(fc.constantFrom(...TRICKS), fc.webUrl(), fc.string({ maxLength: 5 })), {
    maxLength: 8,
  })
  .map((pieces) => pieces.join(''));
const texts = fc.oneof(
  { weight: 5, arbitrary: mutated },
  { weight: 3, arbitrary: pieced },
  { weight: 1, arbitrary: fc.webUrl({ withFragments: true, withQueryParameters: true }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) },
);

/** Returns the camera, or `undefined` if the URL is rejected; rethrows other errors. */
function found(text: string, sources: typeof wide) {
  try {
    return findCamera(text, sources);
  } catch (error) {
    if (error instanceof ProblemError && [400, 403].includes(error.problem.status))
      return undefined;
    throw error;
  }
}

describe('any value of url', () => {
  it.each([
    ['narrow', narrow],
    ['wide', wide],
    ['stripping', stripping],
  ])('is rejected or is a clean URL that its source allows: %s sources', (_, sources) => {
    let allowed = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const camera = found(text, sources);
        if (!camera) return;
        allowed += 1;
        const url = new URL(camera.url);
        expect(url.href).toBe(camera.url);
        expect(url.protocol).toMatch(/^https?:$/);
        expect([url.username, url.password, url.hash]).toEqual(['', '', '']);
        expect(url.hostname).toMatch(/^[^A-Z@\\/?#%]+[^.]$|^[^.]$/);
        // This becomes the Host and path sent to the camera: printable ASCII, so no line break.
        expect(camera.url).toMatch(/^[\x21-\x7e]+$/);
        expect(camera.url).not.toContain('\\');
        expect(camera.url.length).toBeLessThanOrEqual(4096);
        expect(sources.find(({ pattern }) => pattern.test(camera.url))).toBe(camera.source);
        expect(camera.cameraId).toBe(cameraIdOf(camera.url));
      }),
      { numRuns },
    );
    // Otherwise it would hold because everything is rejected.
    expect(allowed).toBeGreaterThan(numRuns / 50);
  });

  it('is the same camera for the worker, which parses the canonical form again', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(narrow, wide, stripping, mixed), (text, sources) => {
        const camera = found(text, sources);
        if (camera) expect(findCamera(camera.url, sources)).toEqual(camera);
      }),
      { numRuns },
    );
  });

  it('never leads to a host that no narrow source names', () => {
    const named = new Set([
      `http://${HOST}`,
      `https://${HOST}:8443`,
      'http://10.0.0.1:8080',
      'http://[::1]',
    ]);
    fc.assert(
      fc.property(texts, (text) => {
        const camera = found(text, narrow);
        if (camera) expect(named).toContain(new URL(camera.url).origin);
      }),
      { numRuns },
    );
  });

  it('never leads out of the folder of a narrow source, however a camera decodes it', () => {
    const steps = fc.constantFrom(
      ...['..', '.', '/', '\u005c', ';', 'a', '%2e', '%2E', '%2f', '%5c', '%3b', '%25', '2e', '2f'],
      ...[
        '%c0%ae',
        '%c0%af',
        '%u002e',
        '%00',
        '%09',
        '%20',
        '\uff0e',
        '\uff0f',
        '\u2025',
        '\uff05',
      ],
    );
    const paths = fc.array(steps, { maxLength: 8 }).map((parts) => parts.join(''));
    let allowed = 0;
    fc.assert(
      fc.property(paths, (path) => {
        const camera = found(`https://${HOST}:8443/live/${path}`, narrow);
        if (!camera) return;
        allowed += 1;
        let { pathname } = new URL(camera.url);
        for (let times = 0; times < 4; times += 1) {
          pathname = new URL(`http://a${decodeOnce(pathname)}`).pathname;
          expect(pathname).toMatch(/^\/live\//);
        }
      }),
      { numRuns },
    );
    expect(allowed).toBeGreaterThan(numRuns / 50);
  });
});

/** Decodes like a lenient server: without parameters, and with backslashes as slashes. */
function decodeOnce(path: string): string {
  const decoded = path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
  return decoded
    .normalize('NFKC')
    .replaceAll('\\', '/')
    .replace(/;[^/]*/g, '')
    .replace(/[?#]/g, '_');
}
