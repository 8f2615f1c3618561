import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { image, jpegWithThumbnail, samples } from '../test-support/images.ts';
import { createImageScan } from './image-scan.ts';

const truncated = { state: 'invalid', fault: 'the camera sent a truncated image' };
const NO_IMAGE = 'the camera sent no JPEG, PNG, GIF, WebP, AVIF or BMP image';

const scan = (bytes: Buffer) => createImageScan().finish(bytes, { acceptTruncated: false });
const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** Returns what the scan says of these bytes when they arrive one by one. */
function scanByteByByte(bytes: Buffer) {
  const imageScan = createImageScan();
  for (let length = 0; length <= bytes.length; length += 1) {
    const result = imageScan.advance(bytes.subarray(0, length));
    if (result.state !== 'more') return result;
  }
  return imageScan.finish(bytes, { acceptTruncated: false });
}

describe.each(Object.entries(samples))('%s', (_, { bytes, contentType }) => {
  const whole = { state: 'whole', contentType, endBytes: bytes.length };

  it('is whole with its last byte, however its bytes arrive', () => {
    expect(createImageScan().advance(bytes)).toEqual(whole);
    expect(scanByteByByte(bytes)).toEqual(whole);
    const cut = createImageScan();
    for (let length = 0; length < bytes.length; length += 1) {
      expect(cut.advance(bytes.subarray(0, length)), `${length} bytes`).toEqual({ state: 'more' });
    }
  });

  it('ends where it ends, whatever follows', () => {
    const trailers = [
      Buffer.alloc(3),
      Buffer.alloc(100_000),
      Buffer.alloc(60_000, 0xff),
      latin1('\r\n--boundary--\r\n'),
      latin1('\n<!-- served in 3 ms -->'),
      bytes,
      image('jpeg'),
      image('avif'),
    ];
    for (const trailer of trailers) {
      expect(scan(Buffer.concat([bytes, trailer]))).toEqual(whole);
    }
  });

  it('is rejected with other bytes in front', () => {
    const inFront = (text: string) => scan(Buffer.concat([latin1(text), bytes]));
    if (contentType === 'image/bmp')
      return expect(inFront('\n')).toMatchObject({ fault: NO_IMAGE });
    expect(inFront('\xef\xbb\xbf')).toMatchObject({
      fault: 'the camera sent a byte order mark in front of the image, so no browser shows it',
    });
    for (const text of [
      '\n',
      '\r\n',
      ' ',
      '\0\0\0\0',
      '<b>Notice</b>: undefined index a<br />\n',
    ]) {
      expect(inFront(text)).toMatchObject({
        fault: expect.stringContaining('in front of the image'),
      });
    }
  });
});

describe('an image whose end is missing', () => {
  const formatsWithAnEnd = Object.entries(samples).filter(([, { contentType }]) =>
    ['image/jpeg', 'image/webp', 'image/avif', 'image/bmp'].includes(contentType),
  );
  it.each(formatsWithAnEnd)('is truncated, wherever it is cut: %s', (_, { bytes }) => {
    for (let length = 32; length < bytes.length; length += 1) {
      expect(scan(bytes.subarray(0, length)), `${length} bytes`).toMatchObject(truncated);
    }
    for (let length = 1; length < 32; length += 1) {
      expect(scan(bytes.subarray(0, length)), `${length} bytes`).toMatchObject({
        state: 'invalid',
      });
    }
  });

  it('is truncated despite the end marker of its thumbnail', () => {
    const whole = jpegWithThumbnail();
    expect(scan(whole)).toMatchObject({ endBytes: whole.length });
    expect(scan(whole.subarray(0, -2))).toMatchObject(truncated);
    expect(scan(whole.subarray(0, image('jpeg').length + 200))).toMatchObject(truncated);
  });
});

describe('a body without an image', () => {
  it.each([
    ['<!doctype html><title>Login</title>', 'an HTML page'],
    ['\r\n <HTML><BODY>401</BODY></HTML>', 'an HTML page'],
    ['<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 'an SVG image'],
    ['<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 'an SVG image'],
    ['\xef\xbb\xbf<?xml version="1.0"?><ResponseStatus/>', 'XML'],
    ['{"error":"no camera"}', 'JSON'],
    ['[]', 'JSON'],
    [image('jpeg').toString('base64'), 'base64 text'],
    ['[error] snapshot failed', 'text'],
    ['BMW', 'text'],
    ['%PDF-1.7\n%âãÏÓ\n1 0 obj', 'a PDF'],
    ['--b\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff', 'a multipart stream'],
    ['\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'a HEIC image, which most browsers do not show'],
    ['\0\0\0\x18ftypmif1\0\0\0\0mif1heic', 'a HEIC image, which most browsers do not show'],
    ['II*\0\x08\0\0\0', 'a TIFF image, which most browsers do not show'],
    ['\xff\x0a\xfa\x1f', 'a JPEG XL image, which most browsers do not show'],
    ['\0\0\0\x20ftypisom\0\0\x02\0isomiso2', 'a video'],
    ['\0\0\0\x01\x67\x64', 'a video'],
    ['\0\0\x01\xba\x44', 'a video'],
    ['\0\0\x01\0\x02\0', 'an icon'],
    [gzipSync(image('png')).toString('latin1'), 'gzip data'],
  ])('is told what it is: %j', (text, name) => {
    const { fault } = scan(latin1(text)) as { fault: string };
    expect(fault.startsWith(`${NO_IMAGE}, but ${name}`), fault).toBe(true);
  });

  it.each(['x\0y', '\0\0\0\0', 'BM\0\0\0\0', '\x89PNG\n\x1a\n'])(
    'is not an image if it is unknown: %j',
    (text) => {
      expect(scan(latin1(text))).toMatchObject({ fault: NO_IMAGE });
    },
  );

  it('has its own error when empty', () => {
    expect(scan(Buffer.alloc(0))).toMatchObject({ fault: 'the camera sent an empty body' });
  });

  it('is invalid before it ends, once it is long enough to tell what it is', () => {
    expect(createImageScan().advance(Buffer.alloc(2000, 'text '))).toMatchObject({
      fault: `${NO_IMAGE}, but text`,
    });
  });

  it('never causes an exception, whatever follows a magic number', () => {
    const magic = fc.constantFrom(
      ...['ffd8ff', '89504e470d0a1a0a', '474946383961', '524946464600000057454250565038'],
      ...['000000146674797061766966', '424d00000000000000000000000028000000'],
    );
    fc.assert(
      fc.property(magic, fc.uint8Array({ maxLength: 80 }), (head, rest) => {
        const result = scan(Buffer.concat([Buffer.from(head, 'hex'), rest]));
        expect(['whole', 'invalid']).toContain(result.state);
      }),
    );
  });
});
