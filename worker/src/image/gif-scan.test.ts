import { describe, expect, it } from 'vitest';
import { piecesOf } from '../../../testing/images/image-pieces.ts';
import { samples } from '../test-support/images.ts';
import { createImageScan } from './image-scan.ts';

const FAULT = 'the camera sent a GIF that no browser shows: ';
const truncated = { fault: 'the camera sent a truncated image' };
const animated = samples['animated.gif']?.bytes as Buffer;
const blocks = piecesOf(animated, 'image/gif');
const isImage = (block: Buffer) => block[0] === 0x2c;
const firstImage = blocks.findIndex(isImage);
const secondImage = blocks.findLastIndex(isImage);

const scan = (bytes: Buffer) => createImageScan().finish(bytes, { acceptTruncated: false });

/** Returns the GIF with these bytes in front of its first image. */
const inserted = (bytes: number[]) =>
  Buffer.concat(blocks.toSpliced(firstImage, 0, Buffer.from(bytes)));

/** Returns the GIF with some bytes of its first image changed. */
function changed(values: Record<number, number>): Buffer {
  const image = Buffer.from(blocks[firstImage] as Buffer);
  for (const [at, value] of Object.entries(values)) image[Number(at)] = value;
  return Buffer.concat(blocks.with(firstImage, image));
}

describe('a GIF without its trailer', () => {
  const lengthUpTo = (block: number) => Buffer.concat(blocks.slice(0, block)).length;
  const ends = [firstImage + 1, secondImage, secondImage + 1].map(lengthUpTo);

  it('is whole when the body ends behind a block, once it has an image', () => {
    for (const length of ends) {
      const cut = animated.subarray(0, length);
      expect(createImageScan().advance(cut)).toEqual({ state: 'more' });
      expect(scan(cut)).toEqual({ state: 'whole', contentType: 'image/gif', endBytes: length });
    }
  });

  it('is truncated anywhere else', () => {
    for (let length = 14; length < animated.length; length += 1) {
      if (ends.includes(length)) continue;
      expect(scan(animated.subarray(0, length)), `${length} bytes`).toMatchObject(truncated);
    }
  });

  it('ends in front of bytes that are no block', () => {
    const [end = 0] = ends.slice(-1);
    const padded = Buffer.concat([animated.subarray(0, end), Buffer.alloc(100)]);
    expect(scan(padded)).toMatchObject({ state: 'whole', endBytes: end });
  });
});

describe('a GIF is taken', () => {
  it.each<[string, Buffer]>([
    ['with comments and unknown extensions', inserted([0x21, 0xfe, 1, 65, 0, 0x21, 0x77, 0])],
    ['with a trailer inside its data', inserted([0x21, 0xfe, 2, 0x3b, 0x3b, 0])],
    ['with an image that is larger than its screen', changed({ 5: 200, 7: 200 })],
  ])('%s', (_, image) => {
    expect(scan(image)).toMatchObject({ state: 'whole', endBytes: image.length });
  });
});

describe('a GIF that no browser shows is rejected', () => {
  it.each<[string, Buffer]>([
    ['no picture', Buffer.concat([...blocks.filter((block) => !isImage(block))])],
    ['a broken block', inserted([0])],
    ['a broken graphic control extension', inserted([0x21, 0xf9, 3, 1, 2, 3, 0, 0])],
    ['its size is zero', changed({ 5: 0, 6: 0 })],
    ['65535 × 65535 pixels are too many', changed({ 5: 255, 6: 255, 7: 255, 8: 255 })],
    ['no picture data', changed({ 10: 9 })],
    ['no picture data', changed({ 11: 0 })],
    ['broken picture data', changed({ 12: 0xff })],
    ['broken picture data', changed({ 12: 0x2c })],
  ])('%s', (fault, image) => {
    expect(scan(image)).toMatchObject({ state: 'invalid', fault: FAULT + fault });
  });
});
