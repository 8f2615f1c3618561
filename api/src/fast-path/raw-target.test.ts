import { describe, expect, it } from 'vitest';
import { escapeRawTarget } from './raw-target.ts';

const escaped = (text: string) => escapeRawTarget(Buffer.from(text, 'latin1')).toString('latin1');

describe('raw bytes', () => {
  it.each([
    ['GET /caf\xc3\xa9 HTTP/1.1\r\n\r\n', 'GET /caf%C3%A9 HTTP/1.1\r\n\r\n'],
    ['GET /?\xe9=\xff\x80 HTTP/1.1\r\n\r\n', 'GET /?%E9=%FF%80 HTTP/1.1\r\n\r\n'],
    ['\r\n\nGET /\xe9 HTTP/1.0\n\n', '\r\n\nGET /%E9 HTTP/1.0\n\n'],
    ['GET /\xe9 HTTP/1.1\r\nX: \xe9\r\n\r\n\xe9', 'GET /%E9 HTTP/1.1\r\nX: \xe9\r\n\r\n\xe9'],
    ['GET /\xe9', 'GET /%E9'],
  ])('of the first line are escaped: %j', (text, expected) => {
    expect(escaped(text)).toBe(expected);
  });

  it('elsewhere, or of no request, stay where they are', () => {
    for (const text of [
      'GET / HTTP/1.1\r\nX: \xe9\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n\xe9',
      '',
      '\n',
    ]) {
      const chunk = Buffer.from(text, 'latin1');
      expect(escapeRawTarget(chunk)).toBe(chunk);
    }
  });
});
