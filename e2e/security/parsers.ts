import type { IncomingHttpHeaders } from 'node:http';
import { cameraOf, parseCameraUrl } from '@lastframe/shared/cameras/camera';
import { findPathTrick } from '@lastframe/shared/cameras/dot-segments';
import { Glob } from '@lastframe/shared/cameras/glob';
import { decodeFully, normaliseEscapes } from '@lastframe/shared/cameras/percent-encoding';
import { findCamera } from '@lastframe/shared/cameras/rules';
import { parseNetwork } from '@lastframe/shared/cameras/source';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import { clientGroup } from '@lastframe/shared/http/client-group';
import { readItems } from '@lastframe/shared/http/http-fields';
import { decodeAnnouncement } from '@lastframe/shared/messages/announcement';
import { parseRefreshJob } from '@lastframe/shared/messages/refresh-job';
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
import { bearerTokenOf } from '../../api/src/routes/admin.ts';
import { pathBelow } from '../../api/src/routes/base-path.ts';
import { parsePrefer } from '../../api/src/routes/prefer.ts';
import { hasPassedProxy } from '../../api/src/routes/via.ts';
import { testSource } from '../../testing/test-camera.ts';
import { readChallenge, readNextNonce } from '../../worker/src/camera-call/digest.ts';
import { retryAfterMs } from '../../worker/src/camera-call/retry-after.ts';
import { validatorsOf } from '../../worker/src/camera-call/validators.ts';
import { fieldOf, persistenceWarning, whyUnfit } from '../../worker/src/permit/redis-fitness.ts';

export interface Parser {
  parse: (text: string) => unknown;
  /** Prefixes that keep its texts from being rejected at once. */
  heads?: readonly string[];
}

const frame = { etag: '"a"', changedAtMs: 0 };
const proxies = [parseNetwork('10.0.0.0/8'), parseNetwork('::1')].filter((n) => n !== undefined);
const sources = ['http://*.example.com/*/*/*.jpg', 'https://*:*/*a*b*c*?*x*y*', 'http://c/*'].map(
  (text) => testSource({ pattern: new UrlPattern(text) }),
);
const many = Array.from({ length: 1000 }, (_, n) => `p${n}`);
const signing = { key: 'x'.repeat(16), nowMs: 0 };
const headersOf = (headers: Record<string, string>) => headers as IncomingHttpHeaders;

/** Every parser of foreign text in api, worker and shared, by what it parses. */
export const parsers: Readonly<Record<string, Parser>> = {
  Prefer: { parse: parsePrefer, heads: ['', 'wait=1', 'a="'] },
  'header items': {
    parse: (text) => [...readItems(text)],
    heads: ['', 'a', 'a="', 'a=', '"'],
  },
  Via: { parse: (text) => hasPassedProxy(text, 'x'), heads: ['', '1.1 a ('] },
  Authorization: { parse: bearerTokenOf, heads: ['', 'Bearer '] },
  'If-None-Match': {
    parse: (ifNoneMatch) => isNotModified({ ifNoneMatch, ifModifiedSince: undefined }, frame),
    heads: ['', 'W/"'],
  },
  'If-Modified-Since': {
    parse: (ifModifiedSince) => isNotModified({ ifNoneMatch: undefined, ifModifiedSince }, frame),
    heads: ['', 'Sun, 06 Nov 1994'],
  },
  Range: { parse: (text) => rangeOf(text, 100), heads: ['', 'bytes=', 'bytes=1-'] },
  'If-Range': { parse: (text) => ifRangeHolds(text, frame), heads: ['', '"'] },
  'a date': { parse: (text) => parseHttpDate(text), heads: ['', 'Sunday, 06-Nov-94 '] },
  Accept: { parse: prefersImages, heads: ['', 'image/*;q='] },
  'X-Forwarded-For': {
    parse: (text) => clientAddress('10.0.0.1', text, proxies),
    heads: ['', '[::'],
  },
  'a client address': { parse: clientGroup, heads: ['', '::', '1.2.3.'] },
  'a request line': { parse: (text) => matchPlainRequest(`GET /${text} HTTP/1.1\r\n\r\n`) },
  'a header line': {
    parse: (text) => matchPlainRequest(`GET / HTTP/1.1\r\nHost: a${text}\r\n\r\n`),
  },
  'header lines': { parse: (text) => matchPlainRequest(`GET / HTTP/1.1\r\n${text}\r\n\r\n`) },
  'a path': { parse: (text) => pathBelow('/cams')(new Request(`http://a/cams/${text}`)) },
  sig: { parse: (sig) => checkSignature('u', (name) => (name === 'sig' ? [sig] : []), signing) },
  exp: { parse: (exp) => checkSignature('u', (n) => (n === 'exp' ? [exp] : ['a']), signing) },
  url: {
    parse: parseCameraUrl,
    heads: ['', 'http://', 'http://c/', 'http://a:', 'http://[', 'http://c/?'],
  },
  'a camera in the sources': {
    parse: (text) => findCamera(text, sources),
    heads: ['http://a.example.com/', 'https://c/', 'http://', 'https://c/abc?'],
  },
  'a long URL against patterns': {
    parse: (text) => sources.map(({ pattern }) => pattern.test(text)),
    heads: ['http://a.example.com/', 'https://c/', 'http://', 'https://c/abc?'],
  },
  'the path of a camera': { parse: findPathTrick, heads: ['/', '/;', '/%c0%af'] },
  escapes: { parse: (text) => [decodeFully(text), normaliseEscapes(text)], heads: ['', '%'] },
  'a text against globs': {
    parse: (text) => ['*/*/*x', '*a*a*a*b', '%*%*%x'].map((glob) => new Glob(glob).matches(text)),
  },
  'a query against a long policy': {
    parse: (text) => cameraOf(new URL(`http://c/?${text}`), testSource({ query: many })),
    heads: ['', 'p1=1&'],
  },
  'a pattern': {
    parse: (text) => new UrlPattern(text),
    heads: ['', 'http://', 'http://*.', 'http://c/', 'http://c:', 'http://[', 'http://c/?'],
  },
  'a network': { parse: parseNetwork, heads: ['', '::', '10.'] },
  'a duration': { parse: parseDurationMs, heads: ['', '1', '1.'] },
  'a size': { parse: parseSizeBytes, heads: ['', '1', '1.'] },
  'a Redis URL': {
    parse: parseRedisUrl,
    heads: ['', 'redis://', 'redis+sentinel://', 'redis+sentinel://a@', 'redis+cluster://a,'],
  },
  'an invalid Redis URL, in the log': {
    parse: (text) => readApiConfig({ REDIS_URL: `http${text}` }),
    heads: ['', '://', '://a@'],
  },
  variables: {
    parse: (text) => {
      for (const { schema, fromText } of Object.values(variables)) schema.safeParse(fromText(text));
    },
    heads: ['', '/', '/a', 'http://'],
  },
  'the name of a source': { parse: (name) => sourceLabel({ name }), heads: ['', 'http://'] },
  'variables in a sources file': {
    parse: (text) => fillInVariables(text, {}, () => {}),
    heads: ['', '${'],
  },
  'an announcement': {
    parse: decodeAnnouncement,
    heads: ['', '{"v":1,"kind":"started","cameraId":"'],
  },
  'a job': {
    parse: (text) => parseRefreshJob(JSON.parse(text)),
    heads: ['', '{"v":1,"cameraId":"'],
  },
  INFO: {
    parse: (text) => [
      whyUnfit(text, { setMs: 1, allowedMs: 1 }),
      fieldOf(text, 'maxmemory'),
      persistenceWarning(text, ''),
    ],
    heads: ['', 'role:'],
  },
  'WWW-Authenticate': { parse: readChallenge, heads: ['', 'Digest ', 'Digest realm="'] },
  'Authentication-Info': { parse: readNextNonce, heads: ['', 'nextnonce="'] },
  'Retry-After': { parse: (text) => retryAfterMs(text, 'x'), heads: ['', '1', 'Sun, 06 Nov 1994'] },
  Date: {
    parse: (text) => retryAfterMs('Sun, 06 Nov 1994 08:49:37 GMT', text),
    heads: ['', 'Sun'],
  },
  validators: {
    parse: (text) => validatorsOf(headersOf({ etag: text, date: text, 'last-modified': text })),
    heads: ['', '"', 'Sun, 06 Nov 1994'],
  },
};

/** Repetitions of these are slow for backtracking patterns and nested loops. */
export const repeatedTexts: readonly string[] = [
  ...[' ', '\t', '\r', '\n', '"', "'", '\\', '\\"', ',', ';', '=', '&', '+', '-', '_', '~', '*'],
  ...['/', '//', '.', '..', '../', '%', '%25', '%2', '%2e', '%c0%af', '%u002e', '%cc%81', '#', '?'],
  ...[
    '@',
    ':',
    '::',
    '[',
    ']',
    '(',
    ')',
    '{',
    '}',
    '[]',
    '{}',
    '()',
    '<',
    '>',
    '|',
    '!',
    '$',
    '${',
  ],
  ...['a', 'A', 'é', 'ü\u0301', '中', '\u{1d7ce}', '0', '1', '9.', '1.1.1.1,', '10.0.0.1,', ' GMT'],
  ...['a ', 'a=', 'a="', 'a=",', 'a=b,', 'a;', 'a;q=1,', 'W/"', '"a",', 'Digest ', 'Digest a=",'],
  ...[
    'nextnonce="',
    'p1=1&',
    'url=a&',
    'a: b\r\n',
    'a:b\n',
    'role:a\n',
    '{"a":',
    '[1,',
    '//a/',
    '\0',
  ],
];
