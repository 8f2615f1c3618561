import { cacheBustersIn, withoutCacheBusters } from '@lastframe/shared/cameras/cache-busters';
import { cameraOf, parseCameraUrl } from '@lastframe/shared/cameras/camera';
import { findPathTrick } from '@lastframe/shared/cameras/dot-segments';
import { Glob } from '@lastframe/shared/cameras/glob';
import { decodeFully, normaliseEscapes } from '@lastframe/shared/cameras/percent-encoding';
import { findCamera } from '@lastframe/shared/cameras/rules';
import { parseNetwork } from '@lastframe/shared/cameras/source';
import { adviceOnUrl } from '@lastframe/shared/cameras/url-advice';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import { clientGroup } from '@lastframe/shared/http/client-group';
import { readItems } from '@lastframe/shared/http/http-fields';
import { decodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { refreshJobFormat } from '@lastframe/shared/messages/refresh-job';
import { infoField } from '@lastframe/shared/redis/redis-info';
import { readApiConfig } from '@lastframe/shared/settings/config';
import { parseRedisUrl } from '@lastframe/shared/settings/redis-url';
import { fillInVariables } from '@lastframe/shared/settings/sources-yaml';
import { parseDurationMs, parseSizeBytes } from '@lastframe/shared/settings/units';
import { variables } from '@lastframe/shared/settings/variables';
import { sourceLabel } from '@lastframe/shared/telemetry/metrics';
import { clientAddress } from '../../api/src/access/client-address.ts';
import { checkSignature } from '../../api/src/access/signed-url.ts';
import { isNotModified } from '../../api/src/answer/conditional.ts';
import { parseHttpDate } from '../../api/src/answer/http-date.ts';
import { prefersImages } from '../../api/src/answer/placeholder-image.ts';
import { ifRangeHolds, rangeOf } from '../../api/src/answer/range.ts';
import { matchPlainRequest } from '../../api/src/fast-path/plain-request.ts';
import { escapeRawTarget } from '../../api/src/fast-path/raw-target.ts';
import { bearerTokenOf } from '../../api/src/routes/admin.ts';
import { pathBelow } from '../../api/src/routes/base-path.ts';
import { parsePrefer } from '../../api/src/routes/prefer.ts';
import { decodeParameter, type Pair, readPairs } from '../../api/src/routes/query-pairs.ts';
import { rejectStrayParameters } from '../../api/src/routes/stray-parameters.ts';
import { hasPassedProxy } from '../../api/src/routes/via.ts';
import { testSource } from '../../testing/test-camera.ts';
import { decodeCadence } from '../../worker/src/cadence/stored-cadence.ts';
import { cachingHintsOf } from '../../worker/src/camera-call/caching-hints.ts';
import { readLoginOffer, readNextNonce } from '../../worker/src/camera-call/login/challenge.ts';
import { retryAfterMs } from '../../worker/src/camera-call/response/retry-after.ts';
import { validatorsOf } from '../../worker/src/camera-call/validators.ts';
import { persistenceWarning, whyUnfit } from '../../worker/src/permit/redis-fitness.ts';

/** A parser, and texts that it does not reject at once, so that it reads what follows them. */
type Parser = readonly [parse: (text: string) => unknown, ...heads: string[]];

const frame = { etag: '"a"', changedAtMs: 0 };
const proxies = [parseNetwork('10.0.0.0/8'), parseNetwork('::1')].filter((n) => n !== undefined);
const sources = ['http://*.example.com/*/*/*.jpg', 'https://*:*/*a*b*c*?*x*y*', 'http://c/*'].map(
  (text) => testSource({ pattern: new UrlPattern(text) }),
);
const many = Array.from({ length: 1000 }, (_, n) => `p${n}`);
const signing = { key: 'x'.repeat(16), nowMs: 0 };
const unconditional = { ifNoneMatch: undefined, ifModifiedSince: undefined };
const cameraUrls = ['http://a.example.com/', 'https://c/', 'http://', 'https://c/abc?'];
const rejectStrays = (pairs: Pair[]) => {
  const names = ['url', 'sig', 'exp', 'camera'];
  rejectStrayParameters(pairs, '/events', { names, areLists: true, isCamera: () => false });
};
const globs = ['*/*/*x', '*a*a*a*b', '%*%*%x'].map((glob) => new Glob(glob));

/** Every parser of foreign text in api, worker and shared, by what it parses. */
export const parsers: Readonly<Record<string, Parser>> = {
  Prefer: [parsePrefer, 'wait=1', 'a="'],
  'header items': [(text) => [...readItems(text)], 'a', 'a="', 'a=', '"'],
  Via: [(text) => hasPassedProxy(text, 'x'), '1.1 a ('],
  Authorization: [bearerTokenOf, 'Bearer '],
  'If-None-Match': [(text) => isNotModified({ ...unconditional, ifNoneMatch: text }, frame), 'W/"'],
  'If-Modified-Since': [
    (text) => isNotModified({ ...unconditional, ifModifiedSince: text }, frame),
    'Sun, 06 Nov 1994',
  ],
  Range: [(text) => rangeOf(text, 100), 'bytes=', 'bytes=1-'],
  'If-Range': [(text) => ifRangeHolds(text, frame), '"'],
  'a date': [(text) => parseHttpDate(text), 'Sunday, 06-Nov-94 '],
  Accept: [prefersImages, 'image/*;q='],
  'X-Forwarded-For': [(text) => clientAddress('10.0.0.1', text, proxies), '[::'],
  'a client address': [clientGroup, '::', '1.2.3.'],
  'a request line': [(text) => matchPlainRequest(`GET /${text} HTTP/1.1\r\n\r\n`)],
  'a header line': [(text) => matchPlainRequest(`GET / HTTP/1.1\r\nHost: a${text}\r\n\r\n`)],
  'header lines': [(text) => matchPlainRequest(`GET / HTTP/1.1\r\n${text}\r\n\r\n`)],
  'a path': [(text) => pathBelow('/cams')(new Request(`http://a/cams/${text}`))],
  sig: [(sig) => checkSignature('u', (name) => (name === 'sig' ? [sig] : []), signing)],
  exp: [(exp) => checkSignature('u', (name) => (name === 'exp' ? [exp] : ['a']), signing)],
  'a query that was meant for a camera': [
    (text) => rejectStrays(readPairs(`url=http://c/x?a=1${text}`)),
    ...['&', '&pwd=', '&amp;b=1&', '&sig=', '&url=', '/'],
  ],
  'a parameter': [decodeParameter, '%C3', '%FF'],
  'a raw target': [(text) => escapeRawTarget(Buffer.from(`GET /\xe9${text}`, 'latin1'))],
  'cache-busters': [
    (text) => {
      const parts = { pathname: `/${text}`, search: `?${text}` };
      return [withoutCacheBusters(parts), cacheBustersIn(parts)];
    },
    ...['t=1', '1', '.jpg'],
  ],
  'advice on a URL': [adviceOnUrl, 'http://', 'rtsp', 'http%3A', '"', 'http://c/?a&amp;'],
  url: [parseCameraUrl, 'http://', 'http://c/', 'http://a:', 'http://[', 'http://c/?'],
  'a camera in the sources': [(text) => findCamera(text, sources), ...cameraUrls],
  'a long URL against patterns': [
    (text) => sources.map(({ pattern }) => pattern.test(text)),
    ...cameraUrls,
  ],
  'the path of a camera': [findPathTrick, '/', '/;', '/%c0%af'],
  escapes: [(text) => [decodeFully(text), normaliseEscapes(text)], '%'],
  'a text against globs': [(text) => globs.map((glob) => glob.matches(text))],
  'a query against a long policy': [
    (text) => cameraOf(new URL(`http://c/?${text}`), testSource({ query: many })),
    'p1=1&',
  ],
  'a pattern': [
    (text) => new UrlPattern(text),
    ...['http://', 'http://*.', 'http://c/', 'http://c:', 'http://[', 'http://c/?'],
  ],
  'a network': [parseNetwork, '::', '10.'],
  'a duration': [parseDurationMs, '1', '1.'],
  'a size': [parseSizeBytes, '1', '1.'],
  'a Redis URL': [
    parseRedisUrl,
    ...['redis://', 'redis+sentinel://', 'redis+sentinel://a@', 'redis+cluster://a,'],
  ],
  'an invalid Redis URL, in the log': [
    (text) => readApiConfig({ REDIS_URL: `http${text}` }),
    ...['://', '://a@'],
  ],
  variables: [
    (text) => {
      for (const { schema, fromText } of Object.values(variables)) schema.safeParse(fromText(text));
    },
    ...['/', '/a', 'http://'],
  ],
  'the name of a source': [(name) => sourceLabel({ name }), 'http://'],
  'variables in a sources file': [(text) => fillInVariables(text, {}, () => {}), '${'],
  'an announcement': [decodeAnnouncement, '{"v":1,"kind":"started","cameraId":"'],
  'a job': [(text) => refreshJobFormat.parse(JSON.parse(text)), '{"v":1,"cameraId":"'],
  INFO: [
    (text) => [
      whyUnfit(text, { setMs: 1, allowedMs: 1 }),
      infoField(text, 'maxmemory'),
      persistenceWarning(text, ''),
    ],
    'role:',
  ],
  'WWW-Authenticate': [readLoginOffer, 'Digest ', 'Digest realm="'],
  'Authentication-Info': [readNextNonce, 'nextnonce="'],
  'Retry-After': [(text) => retryAfterMs(text, 'x'), '1', 'Sun, 06 Nov 1994'],
  Date: [(text) => retryAfterMs('Sun, 06 Nov 1994 08:49:37 GMT', text), 'Sun'],
  validators: [
    (text) => validatorsOf({ etag: text, date: text, 'last-modified': text }),
    ...['"', 'Sun, 06 Nov 1994'],
  ],
  'caching hints': [
    (text) => [
      cachingHintsOf({ 'cache-control': text, age: text }),
      cachingHintsOf({ expires: text, date: text, 'last-modified': text }),
    ],
    ...['max-age=', 'a, s-maxage="', 'Sun, 06 Nov 1994'],
  ],
  'a stored cadence': [decodeCadence, '{"firstCallMs":1,"etag":"'],
};

/** Repetitions of these are slow for backtracking patterns and nested loops. */
export const repeatedTexts: readonly string[] = [
  ...' \t\r\n\0"\'\\,;=&+-_~*/.%#?@:[](){}<>|!$aAé01中\u{1d7ce}',
  ...['\\"', '//', '..', '../', '%25', '%2', '%2e', '%c0%af', '%u002e', '%cc%81', '::', '[]', '{}'],
  ...['()', '${', 'ü\u0301', '9.', '1.1.1.1,', '10.0.0.1,', ' GMT', 'a ', 'a=', 'a="', 'a=",'],
  ...['a=b,', 'a;', 'a;q=1,', 'W/"', '"a",', 'Digest ', 'Digest a=",', 'nextnonce="', 'p1=1&'],
  ...['url=http://c/?a&', '&amp;a=b', '%C3%A9', '&t=12', '?t=12', 'rtsp', 'é', '/user=a', '&pwd=a'],
  ...['url=a&', 'a: b\r\n', 'a:b\n', 'role:a\n', '{"a":', '[1,', '//a/'],
];
