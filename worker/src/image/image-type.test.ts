import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ImageKind, image, jpegWithThumbnail } from '../test-support/images.ts';
import { sniffImage } from './image-type.ts';

const kinds: ImageKind[] = ['jpeg', 'png', 'gif', 'webp', 'avif'];
const truncated = { fault: 'the camera sent a truncated image' };
const noImage = { fault: 'the camera did not send a JPEG, PNG, GIF, WebP or AVIF image' };

describe.each(kinds)('a %s', (kind) => {
  it('is recognised by its bytes', async () => {
    expect(await sniffImage(image(kind))).toMatchObject({ contentType: `image/${kind}` });
  });

  it('is rejected when truncated, at whatever byte', async () => {
    const whole = image(kind);
    for (let length = 1; length < whole.length; length += 1) {
      const sniffed = await sniffImage(whole.subarray(0, length));
      expect(sniffed, `${length} of ${whole.length} bytes`).toHaveProperty('fault');
    }
  });

  it('may be padded after its end', async () => {
    const padded = Buffer.concat([image(kind), Buffer.alloc(100)]);
    expect(await sniffImage(padded)).toMatchObject({ contentType: `image/${kind}` });
  });
});

describe('a JPEG', () => {
  it('may be padded with anything up to 4 KiB', async () => {
    const whole = image('jpeg');
    const padded = (length: number) => Buffer.concat([whole, Buffer.alloc(length, 0xaa)]);
    expect(await sniffImage(padded(4000))).toMatchObject({ contentType: 'image/jpeg' });
    expect(await sniffImage(padded(5000))).toMatchObject(truncated);
  });

  it('is rejected when truncated, despite the end marker of its thumbnail', async () => {
    const whole = jpegWithThumbnail();
    expect(await sniffImage(whole)).toMatchObject({ contentType: 'image/jpeg' });
    expect(await sniffImage(whole.subarray(0, -2))).toMatchObject(truncated);
    const lessThanPadding = whole.subarray(0, image('jpeg').length + 200);
    expect(await sniffImage(lessThanPadding)).toMatchObject(truncated);
  });

  it('may have fill bytes before a marker and stray bytes between segments', async () => {
    const whole = image('jpeg');
    const filled = Buffer.concat([
      whole.subarray(0, 2),
      Buffer.from([0xff, 0xff]),
      whole.subarray(2),
    ]);
    expect(await sniffImage(filled)).toMatchObject({ contentType: 'image/jpeg' });
    const app0 = 4 + whole.readUInt16BE(4) - 2 + 2;
    const stray = Buffer.concat([
      whole.subarray(0, app0),
      Buffer.from('xyz'),
      whole.subarray(app0),
    ]);
    expect(await sniffImage(stray)).toMatchObject({ contentType: 'image/jpeg' });
    expect(await sniffImage(stray.subarray(0, -1))).toMatchObject(truncated);
  });
});

describe('a GIF', () => {
  it('is rejected when truncated, despite a semicolon near its end', async () => {
    const whole = image('gif');
    const broken = Buffer.concat([
      whole.subarray(0, -1),
      Buffer.alloc(200, ';ab'),
      Buffer.from('x'),
    ]);
    expect(await sniffImage(broken)).toMatchObject(truncated);
  });
});

describe('a body without an image', () => {
  it.each([
    ['HTML', '<!doctype html><title>Login</title>'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
    ['SVG with a prologue', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['JSON', '{"error":"no camera"}'],
    ['a PDF', '%PDF-1.7\n%âãÏÓ\n1 0 obj'],
    ['a BMP', 'BM000000000000000000000000000000'],
    [
      'a JPEG inside a multipart stream',
      '--boundary\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff',
    ],
    ['one byte', 'x'],
  ])('is rejected: %s', async (_, text) => {
    expect(await sniffImage(Buffer.from(text, 'latin1'))).toMatchObject(noImage);
  });

  it('has its own error when empty', async () => {
    expect(await sniffImage(Buffer.alloc(0))).toMatchObject({
      fault: 'the camera sent an empty body',
    });
  });

  it('never causes an exception, whatever follows a magic number', async () => {
    const magic = fc.constantFrom('ffd8ff', '89504e470d0a1a0a', '474946383961', '52494646');
    await fc.assert(
      fc.asyncProperty(magic, fc.uint8Array({ maxLength: 80 }), async (head, rest) => {
        const sniffed = await sniffImage(Buffer.concat([Buffer.from(head, 'hex'), rest]));
        expect('fault' in sniffed || 'contentType' in sniffed).toBe(true);
      }),
    );
  });
});
