import { describe, expect, it } from 'vitest';
import { matchPlainRequest } from './plain-request.ts';

const request = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;
const FIRST = 'GET /images?url=http%3A%2F%2Fcam.test%2Fa.jpg HTTP/1.1';

describe('a plain request', () => {
  it('is recognised with its host, target and If-None-Match', () => {
    expect(matchPlainRequest(request(FIRST, 'Host: a:8088', 'If-None-Match: "x"'))).toEqual({
      isHead: false,
      host: 'a:8088',
      target: '/images?url=http%3A%2F%2Fcam.test%2Fa.jpg',
      ifNoneMatch: '"x"',
    });
    expect(matchPlainRequest(request('HEAD /cameras/north HTTP/1.1', 'Host: a'))?.isHead).toBe(
      true,
    );
  });

  it('is recognised as browsers send it', () => {
    const browser = request(
      FIRST,
      'Host: a',
      'Connection: keep-alive',
      'sec-ch-ua: "Chromium";v="140"',
      'User-Agent: Mozilla/5.0 (X11)',
      'Accept: image/avif,image/webp,*/*;q=0.8',
      'Sec-Fetch-Dest: image',
      'Referer: https://a/',
      'Accept-Language: de',
      'Cookie: namé=value',
      'If-None-Match: "x"',
      'If-Modified-Since: Sun, 22 Nov 2026 20:00:00 GMT',
    );
    expect(matchPlainRequest(browser)?.ifNoneMatch).toBe('"x"');
  });
});

describe('leaves to the parser:', () => {
  const odd: Record<string, string> = {
    'a partial head': `${FIRST}\r\nHost: a\r\n`,
    'a second request after it': request(FIRST, 'Host: a') + request(FIRST, 'Host: a'),
    'a body after it': `${request(FIRST, 'Host: a')}x`,
    'a body that ends like a head': `${request(FIRST, 'Host: a')}x\r\n\r\n`,
    'an empty line before it': `\r\n${request(FIRST, 'Host: a')}`,
    'no host': request(FIRST, 'Accept: */*'),
    'two hosts': request(FIRST, 'Host: a', 'Host: a'),
    'another method': request(FIRST.replace('GET', 'POST'), 'Host: a'),
    'a method in lower case': request(FIRST.replace('GET', 'get'), 'Host: a'),
    'another version': request(FIRST.replace('1.1', '1.0'), 'Host: a'),
    'an absolute target': request('GET http://a/images HTTP/1.1', 'Host: a'),
    'a space in the target': request('GET /a b HTTP/1.1', 'Host: a'),
    'two spaces': request('GET  /a HTTP/1.1', 'Host: a'),
    'a header that may change the response': request(FIRST, 'Host: a', 'Range: bytes=0-1'),
    'an unknown header': request(FIRST, 'Host: a', 'X-Any: 1'),
    'a connection to close': request(FIRST, 'Host: a', 'Connection: close'),
    'a Content-Length': request(FIRST, 'Host: a', 'Content-Length: 0'),
    'If-Modified-Since alone': request(FIRST, 'Host: a', 'If-Modified-Since: now'),
    'two conditions': request(FIRST, 'Host: a', 'If-None-Match: "x"', 'If-None-Match: "y"'),
    'a space before the colon': request(FIRST, 'Host : a'),
    'no space after the colon': request(FIRST, 'Host:a'),
    'a trailing space': request(FIRST, 'Host: a '),
    'an empty value': request(FIRST, 'Host: a', 'Accept: '),
    'a folded line': request(FIRST, 'Host: a', 'Accept: */*', ' folded'),
    'a bare line feed': `${FIRST}\nHost: a\r\n\r\n`,
    'a bare line feed in a value': request(FIRST, 'Host: a', 'Accept: a\nRange: bytes=0-1'),
    'a bare carriage return': request(FIRST, 'Host: a', 'Accept: a\rb'),
    'a NUL': request(FIRST, 'Host: a', 'Accept: a\0b'),
    'a very long head': request(FIRST, 'Host: a', `Cookie: ${'x'.repeat(20_000)}`),
    nothing: '',
  };
  it.each(Object.entries(odd))('%s', (_, text) => {
    expect(matchPlainRequest(text)).toBeUndefined();
  });
});
