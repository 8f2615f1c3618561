/** A request of which nothing but these can change the answer. */
export interface PlainRequest {
  isHead: boolean;
  host: string;
  target: string;
  ifNoneMatch: string | undefined;
}

/** Whatever these say, the answer is the same. Browsers and proxies send no others with an image. */
const IDLE_HEADERS = new Set([
  ...['accept', 'accept-charset', 'accept-encoding', 'accept-language', 'cache-control', 'cookie'],
  ...['dnt', 'origin', 'pragma', 'priority', 'referer', 'save-data', 'user-agent'],
  ...['upgrade-insecure-requests', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port'],
  ...['x-forwarded-proto', 'x-real-ip', 'x-requested-with'],
]);
const REQUEST_LINE = /^(GET|HEAD) (\/[!-~]*) HTTP\/1\.1$/;
const HEADER = /^([\w-]+): ([!-~](?:[ -~\x80-\xff]*[!-~])?)$/;
/** Far below what Node takes, so that it never has to be asked whether a head is too large. */
const MAX_HEAD_LENGTH = 16 * 1024;

/**
 * Recognises a text that is one whole, plain request and nothing else. It is no parser: whatever is
 * in any way unusual is undefined, which means that it is for the parser to judge.
 */
export function recognise(text: string): PlainRequest | undefined {
  if (text.length > MAX_HEAD_LENGTH || !text.endsWith('\r\n\r\n')) return undefined;
  const [first = '', ...lines] = text.slice(0, -4).split('\r\n');
  const [, method, target] = REQUEST_LINE.exec(first) ?? [];
  if (target === undefined) return undefined;
  const told = tellingHeaders(lines);
  const host = told?.get('host');
  if (!told || host === undefined) return undefined;
  const ifNoneMatch = told.get('if-none-match');
  // With `If-None-Match` it means nothing (RFC 9110 13.1.3).
  if (told.has('if-modified-since') && ifNoneMatch === undefined) return undefined;
  return { isHead: method === 'HEAD', host, target, ifNoneMatch };
}

/** Undefined when one is unknown, given twice, or not written as everybody writes it. */
function tellingHeaders(lines: string[]): Map<string, string> | undefined {
  const told = new Map<string, string>();
  for (const line of lines) {
    const [, written = '', value = ''] = HEADER.exec(line) ?? [];
    const name = written.toLowerCase();
    if (IDLE_HEADERS.has(name) || name.startsWith('sec-')) continue;
    const isTelling =
      name === 'host' ||
      name === 'if-none-match' ||
      name === 'if-modified-since' ||
      (name === 'connection' && value.toLowerCase() === 'keep-alive');
    if (!isTelling || told.has(name)) return undefined;
    told.set(name, value);
  }
  return told;
}
