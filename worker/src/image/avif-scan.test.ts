import { describe, expect, it } from 'vitest';
import { piecesOf } from '../../../testing/images/image-pieces.ts';
import { avifSequence, samples } from '../test-support/images.ts';
import { createImageScan } from './image-scan.ts';

const FAULT = 'the camera sent an AVIF that no browser shows: ';
const truncated = { fault: 'the camera sent a truncated image' };
const avif = samples['tiny.avif']?.bytes as Buffer;
const [ftyp, , mdat] = piecesOf(avif, 'image/avif') as [Buffer, Buffer, Buffer];
const mdatAt = avif.length - mdat.length;

const scan = (bytes: Buffer) => createImageScan().finish(bytes, { acceptTruncated: false });

/** Returns the AVIF with other brands in as many bytes. */
function branded(...brands: string[]): Buffer {
  const image = Buffer.from(avif);
  for (let at = 8; at < ftyp.length; at += 4) {
    const brand = brands[at === 8 ? 0 : Math.min((at - 16) / 4 + 1, brands.length - 1)] ?? '';
    if (at !== 12) image.write(brand, at, 'latin1');
  }
  return image;
}

/** Returns the AVIF with a number, or a text, at an offset from where a text begins. */
function changed(text: string, offset: number, value: number | string): Buffer {
  const image = Buffer.from(avif);
  const at = image.indexOf(text) + offset;
  if (typeof value === 'string') image.write(value, at, 'latin1');
  else image[at] = value;
  return image;
}

/** Returns the AVIF with another size of its box of data. */
function withDataSize(size: number): Buffer {
  const image = Buffer.from(avif);
  image.writeUInt32BE(size, mdatAt);
  return image;
}

describe('the brands of an AVIF', () => {
  it.each([
    [['mif1', 'avif', 'miaf']],
    [['msf1', 'avif']],
    [['miaf', 'mif1', 'avif']],
    [['isom', 'avif']],
    [['avif', 'mif1']],
  ])('may come in any order: %j', (brands) => {
    const image = branded(...brands);
    const whole = { state: 'whole', contentType: 'image/avif', endBytes: avif.length };
    expect(scan(image)).toEqual(whole);
    const imageScan = createImageScan();
    imageScan.advance(image.subarray(0, 20));
    expect(imageScan.advance(image)).toEqual(whole);
  });

  it('may come late in a long list', () => {
    const brands = Buffer.from(`mif1\0\0\0\0${'xxxx'.repeat(60)}avif`);
    const box = Buffer.concat([Buffer.alloc(4), Buffer.from('ftyp'), brands]);
    box.writeUInt32BE(box.length);
    // Its items are now somewhere else, but this is an AVIF.
    expect(scan(Buffer.concat([box, avif.subarray(ftyp.length)]))).toMatchObject({
      fault: expect.stringContaining('an AVIF'),
    });
  });

  it('make it a HEIC image or a video without avif', () => {
    for (const [brands, name] of [
      [['heic', 'mif1'], 'a HEIC image'],
      [['mif1', 'miaf'], 'a HEIC image'],
      [['mp42', 'isom'], 'a video'],
    ] as const) {
      expect(scan(branded(...brands))).toMatchObject({ fault: expect.stringContaining(name) });
    }
  });
});

describe('the end of an AVIF', () => {
  it('is that of its data if the box around it has no size, or a wrong one', () => {
    for (const size of [0, 4, mdat.length - 20, mdat.length + 20]) {
      const image = Buffer.concat([withDataSize(size), Buffer.alloc(9, 1)]);
      expect(scan(image), `a size of ${size}`).toMatchObject({ endBytes: avif.length });
      expect(scan(image.subarray(0, avif.length - 1))).toMatchObject(truncated);
    }
  });

  it('may need a size of 64 bits', () => {
    const long = Buffer.alloc(8);
    long.writeUInt32BE(mdat.length + 8, 4);
    const image = Buffer.concat([withDataSize(1).subarray(0, mdatAt + 8), long, mdat.subarray(8)]);
    // The picture is 8 bytes further on.
    const iloc = image.indexOf('iloc');
    const offsetAt = image.indexOf(Buffer.from([0, 0, 0x01, 0x1a]), iloc);
    expect(image.readUInt32BE(offsetAt)).toBe(mdatAt + 8);
    image.writeUInt32BE(mdatAt + 16, offsetAt);
    expect(scan(image)).toMatchObject({ state: 'whole', endBytes: image.length });
  });

  it('does not include boxes behind its data', () => {
    const free = Buffer.from('\0\0\0\x09freeX', 'latin1');
    expect(scan(Buffer.concat([avif, free]))).toMatchObject({ endBytes: avif.length });
  });
});

describe('an AVIF sequence', () => {
  const sequence = avifSequence();
  const movieAt = sequence.indexOf('moov');
  const dataAt = sequence.indexOf('mdat') - 4;

  it('is whole with its description and its data, in any order', () => {
    const whole = { state: 'whole', contentType: 'image/avif', endBytes: sequence.length };
    expect(createImageScan().advance(sequence)).toEqual(whole);
    expect(scan(Buffer.concat([sequence, Buffer.alloc(99)]))).toEqual(whole);
    const [fileType, movie] = [
      sequence.subarray(0, movieAt - 4),
      sequence.subarray(movieAt - 4, dataAt),
    ];
    expect(scan(Buffer.concat([fileType, sequence.subarray(dataAt), movie]))).toEqual(whole);
  });

  it('is truncated, wherever it is cut', () => {
    for (let length = 32; length < sequence.length; length += 1) {
      expect(scan(sequence.subarray(0, length)), `${length} bytes`).toMatchObject(truncated);
    }
  });

  it('ends with the body if the box of its data has no size', () => {
    const open = Buffer.from(sequence);
    open.writeUInt32BE(0, dataAt);
    expect(createImageScan().advance(open)).toEqual({ state: 'more' });
    expect(scan(open)).toMatchObject({ state: 'whole', endBytes: sequence.length });
  });
});

describe('an AVIF that no browser shows is rejected', () => {
  it.each<[string, Buffer]>([
    [
      'a broken file type',
      Buffer.concat([Buffer.from([0, 0, 0, ftyp.length - 1]), avif.subarray(4)]),
    ],
    [
      'a sequence without pictures',
      Buffer.from('\0\0\0\x14ftypavis\0\0\0\0avis\0\0\0\x08moov\0\0\0\x10mdat<script>', 'latin1'),
    ],
    ['a box with an invalid size', withSize('meta', 7)],
    ['a huge description', withSize('meta', 0x20_0000)],
    ['no picture', changed('hdlr', 0, 'free')],
    ['no picture', changed('pict', 0, 'vide')],
    ['no pitm box, or two', changed('pitm', 0, 'free')],
    ['no iloc box, or two', changed('iloc', 0, 'free')],
    ['no AV1 picture', changed('av01', 0, 'hvc1')],
    ['a wrong number of items', changed('iinf', 9, 2)],
    ['no picture size', changed('ispe', 0, 'free')],
    ['no AV1 configuration', changed('av1C', 0, 'free')],
    ['no ipma box, or two', changed('ipma', 0, 'free')],
    ['a property that is missing', changed('ipma', 15, 9)],
    ['a box longer than the one around it', changed('ispe', -1, 200)],
    ['its size is zero', changed('ispe', 11, 0)],
    ['two numbers of bits per colour', changed('av1C', 6, 0x40)],
    [
      'no AV1 data where it should be',
      Buffer.concat([
        avif.subarray(0, mdatAt),
        Buffer.from('\0\0\0\x20free', 'latin1'),
        Buffer.alloc(24, 1),
        mdat,
      ]),
    ],
  ])('%s', (fault, image) => {
    expect(scan(image)).toMatchObject({ state: 'invalid', fault: FAULT + fault });
  });
});

function withSize(type: string, size: number): Buffer {
  const image = Buffer.from(avif);
  image.writeUInt32BE(size, image.indexOf(type) - 4);
  return image;
}
