import { createHash } from 'node:crypto';
import { invalidUrl, type ProblemError } from '../process/errors.ts';
import { findPathTrick } from './dot-segments.ts';
import { withoutTrailingDots } from './host-name.ts';
import { normaliseEscapes } from './percent-encoding.ts';
import type { QueryPolicy, Source } from './source.ts';
import { adviceOnParsedUrl, adviceOnUrl } from './url-advice.ts';

/** One upstream image: its canonical URL, the id derived from it, and the source that allows it. */
export interface Camera {
  cameraId: string;
  url: string;
  source: Source;
  /** Set for named cameras only; jobs contain it instead of the URL. */
  name?: string;
}

const MAX_URL_BYTES = 4096;
const NO_CREDENTIALS =
  'url has a user name or a password in it; leave them out. The operator of this server sets them with auth: for the source in SOURCES_FILE';

/**
 * Parses a viewer's text into a normalised URL: no fragment, no trailing dot on the host, no
 * default port, one spelling of percent-escapes.
 * @throws ProblemError 400 that says what is wrong
 */
export function parseCameraUrl(text: string): URL {
  if (Buffer.byteLength(text) > MAX_URL_BYTES) throw tooLong();
  const advice = adviceOnUrl(text);
  if (advice !== undefined) throw invalidUrl(advice);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw invalidUrl(NO_CREDENTIALS);
  if (url.port === '0') throw invalidUrl('url has port 0');
  if (/%(?![0-9a-f]{2})/i.test(url.pathname + url.search)) {
    throw invalidUrl('url has a % that is not followed by two hexadecimal digits; write it %25');
  }
  const normalised = normalise(url);
  // Escapes make it longer, and a worker, which parses it again, must not reject it.
  if (normalised.href.length > MAX_URL_BYTES) throw tooLong();
  const parsedAdvice = adviceOnParsedUrl(normalised);
  if (parsedAdvice !== undefined) throw invalidUrl(parsedAdvice);
  const trick = findPathTrick(normalised.pathname);
  if (trick) throw invalidUrl(`url has an encoded ${trick} in its path; leave it out`);
  return normalised;
}

/** Returns the camera of a normalised URL under a source's query policy. */
export function cameraOf(url: URL, source: Source): Camera {
  const canonical = new URL(url);
  canonical.search = applyQueryPolicy(url.search, source.query);
  return { cameraId: cameraIdOf(canonical.href), url: canonical.href, source };
}

/** Returns the first 32 hex digits of the SHA-256 of the canonical URL. */
export function cameraIdOf(canonicalUrl: string): string {
  return createHash('sha256').update(canonicalUrl).digest('hex').slice(0, 32);
}

function normalise(url: URL): URL {
  url.hash = '';
  const host = withoutTrailingDots(url.hostname);
  if (host === '') throw invalidUrl('url has no host');
  if (host !== url.hostname) url.hostname = host;
  // The setter ignores an invalid host: `256.0.0.1..` is only a name because of its dots.
  if (url.hostname.endsWith('.'))
    throw invalidUrl('url has a host that is neither a name nor an address');
  url.pathname = normaliseEscapes(url.pathname);
  url.search = normaliseEscapes(url.search === '?' ? '' : url.search);
  return url;
}

function applyQueryPolicy(search: string, policy: QueryPolicy): string {
  if (policy === 'keep') return search;
  if (policy === 'strip') return '';
  const pairs = Map.groupBy(search.slice(1).split('&'), queryNameOf);
  // In the order of the policy, so that ?w=1&h=2 and ?h=2&w=1 are one camera.
  return [...new Set(policy)].flatMap((name) => pairs.get(name) ?? []).join('&');
}

function queryNameOf(pair: string): string {
  return [...new URLSearchParams(pair).keys()][0] ?? '';
}

function tooLong(): ProblemError {
  return invalidUrl(`url is longer than ${MAX_URL_BYTES} bytes`);
}
