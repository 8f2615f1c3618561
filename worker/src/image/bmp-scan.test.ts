import { describe, expect, it } from 'vitest';
import { createImageScan } from './image-scan.ts';

const FAULT = 'the camera sent a BMP that no browser shows: ';

const scan = (bytes: Buffer) => createImageScan().finish(bytes, { acceptTruncated: false });

interface Head {
  width?: number;
  height?: number;
  bits?: number;
  compression?: number;
  headBytes?: number;
  dataAt?: number;
}

/** Returns a BMP of 3 × 2 pixels of 24 bits, or with another head. */
function bmp(head: Head = {}, data = Buffer.alloc(24, 99)): Buffer {
  const { width = 3, height = 2, bits = 24, compression = 0, headBytes = 40 } = head;
  const { dataAt = 14 + headBytes } = head;
  const bytes = Buffer.alloc(14 + headBytes);
  bytes.write('BM');
  bytes.writeUInt32LE(dataAt, 10);
  bytes.writeUInt32LE(headBytes, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(bits, 28);
  bytes.writeUInt32LE(compression, 30);
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, dataAt - bytes.length)), data]);
}

/** Returns a BMP with a head of OS/2, of 3 × 2 pixels of 24 bits. */
function coreBmp(): Buffer {
  const bytes = Buffer.from(
    'BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x03\0\x02\0\x01\0\x18\0',
    'latin1',
  );
  return Buffer.concat([bytes, Buffer.alloc(24, 99)]);
}

/** Returns a BMP with the shortest head of OS/2 2. */
function shortBmp(): Buffer {
  const whole = bmp();
  const head = whole.subarray(0, 30);
  head.writeUInt32LE(head.length, 10);
  head.writeUInt32LE(16, 14);
  return Buffer.concat([head, whole.subarray(54)]);
}

/** Returns a BMP of 3 × 2 pixels of 16 bits, of which these are red, green and blue. */
function masked(...masks: number[]): Buffer {
  const image = bmp({ bits: 16, compression: 3, dataAt: 66 }, Buffer.alloc(16));
  for (const [index, mask] of masks.entries()) image.writeUInt32LE(mask, 54 + 4 * index);
  return image;
}

describe('a BMP ends with its last row', () => {
  it.each<[string, Buffer]>([
    ['of 24 bits, in rows of four bytes', bmp()],
    ['from top to bottom', bmp({ height: -2 })],
    ['of 1 bit', bmp({ bits: 1, width: 33, dataAt: 62 }, Buffer.alloc(16))],
    ['of 16 bits with masks', masked(0xf800, 0x07e0, 0x001f)],
    ['with a long head', bmp({ headBytes: 124 })],
    ['with a head of OS/2 1', coreBmp()],
    ['with a head of OS/2 2', bmp({ headBytes: 64 })],
    ['with a short head of OS/2 2', shortBmp()],
  ])('%s', (_, image) => {
    const padded = Buffer.concat([image, Buffer.alloc(50)]);
    expect(scan(padded)).toEqual({
      state: 'whole',
      contentType: 'image/bmp',
      endBytes: image.length,
    });
    expect(scan(image.subarray(0, -1))).toMatchObject({
      fault: 'the camera sent a truncated image',
    });
  });

  it('and with its palette, which decoders read first', () => {
    const image = bmp({ bits: 8 });
    expect(scan(image)).toMatchObject({ fault: 'the camera sent a truncated image' });
    expect(scan(Buffer.concat([image, Buffer.alloc(1024)]))).toMatchObject({ state: 'whole' });
  });

  it('or where its run lengths say so', () => {
    const runs = [3, 5, 0, 0, 0, 3, 0, 1, 0, 0, 0, 2, 0, 1, 0, 1];
    const image = bmp({ bits: 8, compression: 1, dataAt: 1078 }, Buffer.from(runs));
    expect(scan(Buffer.concat([image, image]))).toMatchObject({ endBytes: image.length });
    expect(scan(image.subarray(0, -1))).toMatchObject({
      fault: 'the camera sent a truncated image',
    });
  });
});

describe('a BMP that no browser shows is rejected', () => {
  it.each<[string, Buffer]>([
    ['its size is zero', bmp({ width: 0 })],
    ['its size is zero', bmp({ width: -3 })],
    ['its size is zero', bmp({ height: 0 })],
    ['a size of 65536 × 2 pixels', bmp({ width: 65_536 })],
    ['60000 × 60000 pixels are too many', bmp({ width: 60_000, height: 60_000 })],
    ['compression 0 with 3 bits per pixel', bmp({ bits: 3 })],
    ['compression 4 with 24 bits per pixel', bmp({ compression: 4 })],
    ['a compression that only OS/2 knows', bmp({ bits: 16, compression: 3, headBytes: 64 })],
    ['broken colour masks', masked(0xf900, 0x06e0, 0x001f)],
    ['broken colour masks', masked(0x1_f800, 0x07e0, 0x001f)],
    ['run lengths from top to bottom', bmp({ bits: 8, compression: 1, height: -2 })],
    ['picture data inside its header', bmp({ dataAt: 20 })],
  ])('%s', (fault, image) => {
    expect(scan(image)).toMatchObject({ state: 'invalid', fault: FAULT + fault });
  });
});
