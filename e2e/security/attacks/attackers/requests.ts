const repeated = (text: string, length: number) => text.repeat(length / text.length);
const hostLine = (host: string) => `Host: ${host}`;
const many = (text: string) => repeated(text, 30_000);

/** Long values that are slow to parse for backtracking patterns. */
const LONG_VALUES: Record<string, readonly string[]> = {
  prefer: [`a=${many(' ')}x y`, `a${many(' ')}!`, many('"a'), many('a=;'), `a=b;${many(' ;')}"`],
  via: [many('('), `1.1 ${many(' ')}x`, many('1.1 x,')],
  range: [`bytes=${many('0-1,')}`, `bytes=${many(' ')}x`],
  'if-none-match': [many('"a",'), `${many(' ')}"`, many('W/"')],
  'if-modified-since': [`Tue, ${many(' ')}`],
  accept: [many('image/*;q=0.1,'), `${many(' ')}x`],
  authorization: [`Bearer ${many(' ')}x`],
  'x-forwarded-for': [many('1.1.1.1,'), many('[')],
  forwarded: [many('for="')],
  traceparent: [many('00-')],
  tracestate: [many('a=b,')],
  'last-event-id': [many('"')],
  cookie: [many('a=b;')],
};
export const LONG_HEADERS = Object.entries(LONG_VALUES).flatMap(([name, values]) =>
  values.map((value) => ({ [name]: value })),
);

/** Paths on which a pattern with several wildcards may try every possible match. */
export const MANY_SLASHES = ['/', '/a', '/.jp', '.jpg', '//x'].map((text) => repeated(text, 2500));

/** Paths under `/live/` that some servers resolve to `/admin`. */
export const ESCAPED_PATHS = `
  ..%2fadmin ..%2Fadmin ..;/admin ..;a=b/admin ..%5cadmin .%2e%2fadmin %2e%2e%2fadmin %2e%2e/admin
  ../admin ..%252fadmin %252e%252e%252fadmin ..%00/admin ..%c0%afadmin x/..;/..;/admin
  x%2f..%2f..%2fadmin .;/..;/admin
`
  .trim()
  .split(/\s+/);

export const ODD_HOSTS = [
  ...['', 'a b', 'user@a', 'a,b', '\x01\xff', 'http://a/', 'a'.repeat(20_000)].map(hostLine),
  hostLine('a\r\nHost: b'),
  hostLine('a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked'),
  hostLine('a\r\nContent-Length: 99999999'),
  'X-No-Host: 1',
];

export const ODD_REQUESTS = [
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'POST /images HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n',
  'GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /images?url=%zz&url= HTTP/9.9\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200),
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  '\0'.repeat(5000),
];
