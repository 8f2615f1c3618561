import { describe, expect, it } from 'vitest';
import { piecesOf } from '../../../testing/images/image-pieces.ts';
import { samples } from '../test-support/images.ts';
import { createImageScan } from './image-scan.ts';

const FAULT = 'the camera sent a WebP that no browser shows: ';

const scan = (bytes: Buffer) => createImageScan().finish(bytes, { acceptTruncated: false });
const chunksOf = (name: string) =>
  piecesOf(samples[name]?.bytes as Buffer, 'image/webp').slice(1) as Buffer[];
const typeOf = (chunk: Buffer) => chunk.toString('latin1', 0, 4);

function webpOf(chunks: Buffer[], extraSize = 0): Buffer {
  const body = Buffer.concat(chunks);
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(body.length + 4 + extraSize, 4);
  return Buffer.concat([head, body]);
}

/** Returns a WebP with one byte of its chunks of a type changed; the data begins at 8. */
function changed(name: string, type: string, at: number, value: number): Buffer {
  return webpOf(
    chunksOf(name).map((chunk) => {
      const copy = Buffer.from(chunk);
      if (typeOf(chunk) === type) copy[at] = value;
      return copy;
    }),
  );
}

const without = (name: string, type: string) =>
  webpOf(chunksOf(name).filter((chunk) => typeOf(chunk) !== type));
const extra = Buffer.from('XYZW\x03\0\0\0abc\0', 'latin1');

describe('a WebP is taken', () => {
  it.each<[string, Buffer]>([
    ['with unknown chunks', webpOf([...chunksOf('lossless.webp'), extra])],
    ['with one frame', webpOf(chunksOf('animated.webp').slice(0, 3))],
    ['without its transparency', without('alpha.webp', 'ALPH')],
  ])('%s', (_, image) => {
    expect(scan(image)).toMatchObject({ state: 'whole', endBytes: image.length });
  });
});

describe('a WebP', () => {
  it('is whole only when all that its head announces is there', () => {
    const image = webpOf(chunksOf('lossless.webp'), 2);
    expect(createImageScan().advance(image)).toEqual({ state: 'more' });
    expect(scan(image)).toMatchObject({ fault: 'the camera sent a truncated image' });
  });
});

describe('a WebP that no browser shows is rejected', () => {
  const lossy = chunksOf('tiny.webp').findIndex((chunk) => typeOf(chunk) === 'VP8 ');
  const simple = webpOf([chunksOf('tiny.webp')[lossy] as Buffer]);
  const simpleWith = (at: number, value: number) => {
    const image = Buffer.from(simple);
    image[at] = value;
    return image;
  };

  it('unless its only chunk is a picture', () => {
    expect(scan(simple)).toMatchObject({ state: 'whole' });
  });

  it.each<[string, Buffer]>([
    ['an invalid file size', webpOf([Buffer.from('VP8 ')], -8)],
    ['a chunk longer than the file', webpOf([extra, ...chunksOf('lossless.webp')].reverse(), -2)],
    ['stray bytes between its chunks', webpOf([...chunksOf('lossless.webp'), Buffer.alloc(5)])],
    ['a broken picture header', simpleWith(20, 0x11)],
    ['a broken picture header', simpleWith(23, 0)],
    ['a broken picture header', changed('lossless.webp', 'VP8L', 8, 0)],
    ['a picture of an unknown version', changed('lossless.webp', 'VP8L', 12, 0x20)],
    ['a broken header', changed('alpha.webp', 'VP8X', 8, 0x01)],
    ['a broken header', changed('alpha.webp', 'VP8X', 4, 8)],
    ['a picture of another size than its header says', changed('alpha.webp', 'VP8X', 12, 9)],
    [
      'transparency behind its picture',
      webpOf(chunksOf('alpha.webp').toSorted((a, b) => typeOf(b).localeCompare(typeOf(a)))),
    ],
    ['no picture', without('alpha.webp', 'VP8 ')],
    ['no picture', without('animated.webp', 'ANMF')],
    ['no picture', changed('alpha.webp', 'VP8X', 8, 0x12)],
    ['a broken animation frame', without('animated.webp', 'ANIM')],
    ['an animation frame outside of the picture', changed('animated.webp', 'ANMF', 8, 200)],
  ])('%s', (fault, image) => {
    expect(scan(image)).toMatchObject({ state: 'invalid', fault: FAULT + fault });
  });
});
