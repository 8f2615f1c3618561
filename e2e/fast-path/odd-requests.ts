import fc from 'fast-check';
import type { Chunks } from './exchange.ts';

/** What both processes know: the targets of a frame in memory, and its ETag. */
export interface KnownTargets {
  host: string;
  targets: readonly string[];
  etag: string;
}

/** Picks the usual value most of the time: a request without odd ones is plain. */
const mostly = <T>(usual: fc.Arbitrary<T>, ...odd: fc.Arbitrary<T>[]) =>
  fc.oneof({ arbitrary: usual, weight: 12 }, ...odd.map((arbitrary) => ({ arbitrary, weight: 1 })));
const from = (...texts: string[]) => fc.constantFrom(...texts);
const header = (name: string, ...values: string[]) =>
  from(...values).map((value) => `${name}: ${value}`);
const concat = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(''));

/** Any bytes, as latin1. */
const binary = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 30 })
  .map((bytes) => String.fromCharCode(...bytes));
const word = fc.string({ minLength: 1, maxLength: 20 });

function requestLine({ targets }: KnownTargets): fc.Arbitrary<string> {
  const [first = ''] = targets;
  const target = mostly(
    fc.constantFrom(...targets),
    from('/', '*', '/images', '/nothing', '//', '/images?url=', `http://a${first}`, `${first}#x`),
    from(first.replace(/%3A/g, '%3a'), first.replace('%3A', ':'), `${first}&${first.slice(8)}`),
    from(first.replace('i', '%69'), `/.${first}`, `/x/..${first}`, `\\${first}`, `${first} `),
    from(`${first}&x=${'y'.repeat(15_000)}`, `${first}&x=${'y'.repeat(40_000)}`),
    concat(from(first), binary),
    // Cache-busters, and parameters that were meant for the camera.
    from('?t=12', '?1764413962123', '&t=1', '&pwd=b', '&amp;sig=x').map((more) => first + more),
    from('%3Ft%3D12', '%3Fa%3D1&pwd=b', '?a=1&pwd=b', '?a=1&sig=b').map((more) => first + more),
    // Raw bytes: é in UTF-8 and in latin1, and half of it.
    from('&x=\xc3\xa9', '&x=\xe9', '&\xc3', '\xc3\xa9', '%C3\xa9').map((more) => first + more),
  );
  const method = mostly(
    from('GET', 'GET', 'HEAD'),
    from('', ...'get GeT POST PUT DELETE OPTIONS TRACE QUERY CONNECT PRI X'.split(' ')),
  );
  const version = mostly(
    from('HTTP/1.1'),
    from('HTTP/1.0', 'HTTP/1.2', 'HTTP/0.9', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/11', ''),
  );
  const space = mostly(from(' '), from('  ', '\t', ''));
  return concat(method, space, target, space, version);
}

function headerLine({ etag }: KnownTargets): fc.Arbitrary<string> {
  const now = new Date().toUTCString();
  const etags = [etag, `W/${etag}`, `"x", ${etag}`, '*', '"x"', etag.slice(1, -1), ''];
  const significant = [
    header('If-None-Match', ...etags),
    header('If-Modified-Since', now, 'Thu, 01 Jan 1970 00:00:00 GMT', 'never'),
    header('Connection', 'keep-alive', 'Keep-Alive', 'close', 'upgrade', 'keep-alive, x', 'x'),
    header('Range', 'bytes=0-9', 'bytes=-5', 'bytes=99999999-', 'lines=1'),
    header('If-Range', etag, '"x"'),
    header('Host', 'localhost', 'LOCALHOST:80', '', 'a b', '127.1', 'x/y?', '[::1]:1', 'é'),
    from('Prefer: respond-async', 'Via: 1.1 x', 'Expect: 100-continue', 'Expect: x'),
    from('Upgrade: websocket', 'TE: trailers', 'Trailer: x', 'HTTP2-Settings: AAMAAABkAAQ'),
    header('Content-Length', '0', '4', '-1', 'x'),
    header('Transfer-Encoding', 'chunked', 'identity', 'x, chunked'),
    concat(from('X-', 'Sec-', ''), word, from(': ', ':', ' : ', ':\t'), word),
    concat(from('Cookie: ', 'Accept: '), binary),
    from(`Cookie: a=${'b'.repeat(9000)}`, `Cookie: a=${'b'.repeat(40_000)}`),
    from(' folded', '\tfolded', 'no colon', ': no name', 'Accept', 'Acc ept: x', 'Accept : x'),
    from('Accept:x', 'Accept:  x', 'Accept: x ', 'Accept:\tx', 'Accept: ', 'Accept:', 'aCCEPT: x'),
  ];
  const harmless = from(
    'Accept: image/*',
    'User-Agent: test',
    'Cookie: a=b',
    'Cache-Control: no-cache',
    'Sec-Fetch-Mode: no-cors',
    'X-Forwarded-For: 1.2.3.4',
    `If-None-Match: ${etag}`,
    'Connection: keep-alive',
  );
  return mostly(harmless, fc.oneof(...significant));
}

/** A request as text; about half of them are plain. */
function request(known: KnownTargets): fc.Arbitrary<string> {
  const host = mostly(from(`Host: ${known.host}`), from('', 'Host: other', `host:${known.host}`));
  const lines = fc
    .tuple(requestLine(known), host, fc.array(headerLine(known), { maxLength: 5 }), fc.boolean())
    .map(([first, hostLine, more, isHostLast]) =>
      [first, ...(isHostLast ? [...more, hostLine] : [hostLine, ...more])].filter(Boolean),
    );
  const lineEnd = mostly(from('\r\n'), from('\n', '\r', '\r\r\n', '\r\n '));
  const end = mostly(
    from('\r\n\r\n'),
    from('\n\n', '\r\n', '\r\n\n', '', '\r\n\r\n\r\n', '\r\n\r'),
  );
  const body = mostly(from(''), from('abcd', '4\r\nabcd\r\n0\r\n\r\n', '0\r\n\r\n', 'x'), binary);
  return fc
    .tuple(lines, lineEnd, end, body)
    .map(([all, between, behind, rest]) => all.join(between) + behind + rest);
}

/** One to three requests on one connection: pipelined or apart, cut anywhere, or with bad bytes. */
export function oddRequests(known: KnownTargets): fc.Arbitrary<Chunks> {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.integer({ min: 0, max: 2 }),
    insert: fc.oneof(
      binary.map((bytes) => bytes.slice(0, 2)),
      from('\r\n', ' ', ':', '\0'),
    ),
  });
  const changed = fc.tuple(request(known), change).map(([text, { at, remove, insert }]) => {
    const place = Math.floor(at * text.length);
    return text.slice(0, place) + insert + text.slice(place + remove);
  });
  const piece = mostly(request(known), changed, changed, changed);
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 });
  const apart = fc.array(piece, { minLength: 1, maxLength: 3 });
  const cut = fc.tuple(apart, cuts).map(([texts, places]) => {
    const text = texts.join('');
    const at = [0, ...places.map((place) => Math.floor(place * text.length)), text.length];
    const sorted = at.toSorted((a, b) => a - b);
    return sorted.slice(1).map((end, index) => text.slice(sorted[index], end));
  });
  return fc
    .oneof({ arbitrary: apart, weight: 3 }, { arbitrary: cut, weight: 1 })
    .map((texts) => texts.filter(Boolean).map((text) => Buffer.from(text, 'latin1')));
}
