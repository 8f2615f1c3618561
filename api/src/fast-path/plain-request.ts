/** A request whose response depends on these fields alone. */
export interface PlainRequest {
  isHead: boolean;
  host: string;
  target: string;
  ifNoneMatch: string | undefined;
}

/** These never change the response. Browsers and proxies send no others with an image request. */
const IGNORED_HEADERS = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'cookie',
  'dnt',
  'origin',
  'pragma',
  'priority',
  'referer',
  'save-data',
  'user-agent',
  'upgrade-insecure-requests',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-requested-with',
]);
const REQUEST_LINE = /^(GET|HEAD) (\/[!-~]*) HTTP\/1\.1$/;
const HEADER = /^([\w-]+): ([!-~](?:[ -~\x80-\xff]*[!-~])?)$/;
/** Far below Node's limit, so this never accepts a head that is too large for Node. */
const MAX_HEAD_LENGTH = 16 * 1024;

/**
 * Recognises text that is one whole, plain request and nothing else. This is not a parser: it
 * returns undefined for anything unusual, and leaves that to the real one.
 */
export function matchPlainRequest(text: string): PlainRequest | undefined {
  if (text.length > MAX_HEAD_LENGTH || !text.endsWith('\r\n\r\n')) return undefined;
  const [first = '', ...lines] = text.slice(0, -4).split('\r\n');
  const [, method, target] = REQUEST_LINE.exec(first) ?? [];
  if (target === undefined) return undefined;
  const headers = relevantHeaders(lines);
  const host = headers?.get('host');
  if (!headers || host === undefined) return undefined;
  const ifNoneMatch = headers.get('if-none-match');
  // `If-None-Match` overrides it (RFC 9110 13.1.3).
  if (headers.has('if-modified-since') && ifNoneMatch === undefined) return undefined;
  return { isHead: method === 'HEAD', host, target, ifNoneMatch };
}

/** Returns undefined if a header is unknown, repeated or written in an unusual way. */
function relevantHeaders(lines: string[]): Map<string, string> | undefined {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, rawName = '', value = ''] = HEADER.exec(line) ?? [];
    const name = rawName.toLowerCase();
    if (IGNORED_HEADERS.has(name) || name.startsWith('sec-')) continue;
    const isRelevant =
      name === 'host' ||
      name === 'if-none-match' ||
      name === 'if-modified-since' ||
      (name === 'connection' && value.toLowerCase() === 'keep-alive');
    if (!isRelevant || headers.has(name)) return undefined;
    headers.set(name, value);
  }
  return headers;
}
