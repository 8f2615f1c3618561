import { describe, expect, it } from 'vitest';
import { image, jpegWithThumbnail, samples } from '../test-support/images.ts';
import { dimensionsOf } from './image-dimensions.ts';

/** A JPEG head with an EXIF orientation, then the frame header. */
function turnedJpeg(orientation: number): Buffer {
  const tiff = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex');
  tiff.writeUInt16BE(orientation, 18);
  const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(exif.length + 2);
  const size = Buffer.from('ffc0001108016802800301220002110103110100', 'hex'); // 640 × 360
  return Buffer.concat([Buffer.from('ffd8ffe1', 'hex'), length, exif, size]);
}

describe('the dimensions of an image', () => {
  it.each([
    ['jpeg', 8, 8],
    ['png', 4, 4],
    ['gif', 1, 1],
    ['webp', 4, 4],
    ['avif', 4, 4],
    ['bmp', 5, 5],
  ] as const)('are read from a %s', (kind, width, height) => {
    expect(dimensionsOf(image(kind), `image/${kind}`)).toEqual({ width, height });
  });

  it('are read from every sample', () => {
    for (const [name, { bytes, contentType }] of Object.entries(samples)) {
      expect(dimensionsOf(bytes, contentType), name).toBeDefined();
    }
    const animated = samples['animated.png']?.bytes as Buffer;
    expect(dimensionsOf(animated, 'image/png')).toEqual({ width: 6, height: 6 });
  });

  it('are read from an AVIF that names another brand first', () => {
    const avif = Buffer.from(image('avif'));
    avif.write('mif1', 8);
    expect(dimensionsOf(avif, 'image/avif')).toEqual({ width: 4, height: 4 });
  });

  it('are read from a BMP with its rows from top to bottom', () => {
    const bmp = Buffer.from(image('bmp'));
    bmp.writeInt32LE(-5, 22);
    expect(dimensionsOf(bmp, 'image/bmp')).toEqual({ width: 5, height: 5 });
  });

  it('are those of the image, not of its thumbnail', () => {
    expect(dimensionsOf(jpegWithThumbnail(), 'image/jpeg')).toEqual({ width: 8, height: 8 });
  });

  it.each([
    [1, { width: 640, height: 360 }],
    [6, { width: 360, height: 640 }],
  ])('are those shown: with orientation %d', (orientation, shown) => {
    expect(dimensionsOf(turnedJpeg(orientation), 'image/jpeg')).toEqual(shown);
  });

  it.each([
    ['a cut head', image('png').subarray(0, 18), 'image/png'],
    ['another file', Buffer.from('hello'), 'image/jpeg'],
    ['nothing', Buffer.alloc(0), 'image/webp'],
    ['a size of zero', Buffer.from('GIF89a\0\0\0\0;'), 'image/gif'],
    ['another type', image('png'), 'image/svg+xml'],
  ])('are unknown for %s', (_, bytes, contentType) => {
    expect(dimensionsOf(bytes, contentType)).toBeUndefined();
  });

  it('are read quickly, whatever a camera sends', () => {
    const box = Buffer.from('00000014697370650000000000000001', 'hex');
    const hostile = [
      ['image/jpeg', Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(8 * 1024 ** 2)])],
      ['image/jpeg', Buffer.alloc(8 * 1024 ** 2, 0xff)],
      ['image/jpeg', Buffer.alloc(8 * 1024 ** 2, Buffer.from('ff00020000', 'hex'))],
      ['image/avif', Buffer.concat([image('avif'), Buffer.alloc(8 * 1024 ** 2, box)])],
      ['image/avif', Buffer.alloc(8 * 1024 ** 2, Buffer.from('0000000000000000', 'hex'))],
    ] as const;
    for (const [contentType, bytes] of hostile) {
      const startedMs = performance.now();
      dimensionsOf(bytes, contentType);
      expect(performance.now() - startedMs).toBeLessThan(2000);
    }
  });
});
