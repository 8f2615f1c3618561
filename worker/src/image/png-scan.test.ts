import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { samples } from '../test-support/images.ts';
import { createImageScan } from './image-scan.ts';

const FAULT = 'the camera sent a PNG that no browser shows: ';
const truncated = { fault: 'the camera sent a truncated image' };

interface Chunk {
  type: string;
  data: Buffer;
  hasWrongChecksum?: boolean;
}

const scan = (bytes: Buffer, acceptTruncated = false) =>
  createImageScan().finish(bytes, { acceptTruncated });
const bytesOf = (name = 'tiny.png') => samples[name]?.bytes as Buffer;

function chunksOf(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const data = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data });
  }
  return chunks;
}

function pngOf(chunks: Chunk[]): Buffer {
  const parts = chunks.map(({ type, data, hasWrongChecksum }) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const framed = Buffer.alloc(body.length + 8);
    framed.writeUInt32BE(data.length, 0);
    body.copy(framed, 4);
    framed.writeUInt32BE(hasWrongChecksum ? 0 : crc32(body), body.length + 4);
    return framed;
  });
  return Buffer.concat([bytesOf().subarray(0, 8), ...parts]);
}

/** Returns a PNG with chunks of a type changed; none if `change` returns nothing. */
function changed(type: string, change: (chunk: Chunk) => Chunk[], name?: string): Buffer {
  const chunks = chunksOf(bytesOf(name));
  return pngOf(chunks.flatMap((chunk) => (chunk.type === type ? change(chunk) : [chunk])));
}

const text: Chunk = { type: 'tEXt', data: Buffer.from('a\0b') };
const without = () => [];
const twice = (chunk: Chunk) => [chunk, chunk];
const damaged = (chunk: Chunk) => [{ ...chunk, hasWrongChecksum: true }];
const byte = (at: number, value: number) => (chunk: Chunk) => {
  const data = Buffer.from(chunk.data);
  data[at] = value;
  return [{ ...chunk, data }];
};

describe('a PNG is taken', () => {
  it.each<[string, Buffer]>([
    ['with a wrong checksum of a chunk that is not needed', changed('sRGB', damaged)],
    [
      'with picture data in several chunks',
      changed('IDAT', ({ type, data }) => [
        { type, data: data.subarray(0, 9) },
        { type, data: Buffer.alloc(0) },
        { type, data: data.subarray(9) },
      ]),
    ],
    ['with unknown chunks', changed('IDAT', (chunk) => [{ ...text, type: 'teSt' }, chunk, text])],
    ['with a wrong checksum of its end', changed('IEND', damaged)],
  ])('%s', (_, image) => {
    expect(scan(image)).toMatchObject({ state: 'whole', endBytes: image.length });
  });
});

describe('a PNG whose end is missing', () => {
  const end = bytesOf().length;

  it('is whole once its end has begun', () => {
    for (const length of [end - 4, end - 1]) {
      expect(scan(bytesOf().subarray(0, length))).toMatchObject({ endBytes: length });
    }
  });

  it('is truncated before, wherever it is cut', () => {
    for (let length = 8; length < end - 4; length += 1) {
      expect(scan(bytesOf().subarray(0, length)), `${length} bytes`).toMatchObject({
        state: 'invalid',
      });
    }
    expect(scan(changed('IEND', without))).toMatchObject(truncated);
  });

  it('is taken behind its picture data if its source accepts that', () => {
    const image = changed('IEND', without);
    expect(scan(image, true)).toMatchObject({ state: 'whole', endBytes: image.length });
    expect(scan(image.subarray(0, -1), true)).toMatchObject(truncated);
    expect(scan(image.subarray(0, 33), true)).toMatchObject(truncated);
  });
});

describe('a PNG that no browser shows is rejected', () => {
  it.each<[string, Buffer]>([
    ['it does not begin with its header', changed('IHDR', (chunk) => [text, chunk])],
    ['two headers', changed('IHDR', twice)],
    ['its size is zero', changed('IHDR', byte(3, 0))],
    ['a size of 16777220 × 4 pixels', changed('IHDR', byte(0, 1))],
    ['a broken header', changed('IHDR', byte(8, 3))],
    ['a broken header', changed('IHDR', byte(10, 1))],
    ['a broken header', changed('IHDR', byte(12, 2))],
    ['damaged data (checksum of IHDR)', changed('IHDR', damaged)],
    ['damaged data (checksum of IDAT)', changed('IDAT', damaged)],
    ['no picture data', changed('IDAT', without)],
    ['picture data in two places', changed('IDAT', (chunk) => [chunk, text, chunk])],
    ['an unknown chunk', changed('IDAT', (chunk) => [{ ...text, type: 'ABCD' }, chunk])],
    ['no palette', changed('PLTE', without, 'indexed.png')],
    ['two palettes', changed('PLTE', twice, 'indexed.png')],
    [
      'a broken palette',
      changed('PLTE', (chunk) => [{ ...chunk, data: Buffer.alloc(2) }], 'indexed.png'),
    ],
    ['a broken first animation frame', changed('fcTL', byte(7, 1), 'animated.png')],
    ['a broken first animation frame', changed('fcTL', byte(3, 9), 'animated.png')],
    ['a broken first animation frame', changed('fcTL', twice, 'animated.png')],
    ['an animation without frames', changed('fcTL', without, 'animated.png')],
  ])('%s', (fault, image) => {
    expect(scan(image)).toMatchObject({ state: 'invalid', fault: FAULT + fault });
  });
});
