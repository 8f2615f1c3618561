import { describe, expect, it } from 'vitest';
import { piecesOf } from '../../../testing/images/image-pieces.ts';
import { samples } from '../test-support/images.ts';
import { createImageScan } from './image-scan.ts';

const FAULT = 'the camera sent a JPEG that no browser shows: ';
const truncated = { state: 'invalid', fault: 'the camera sent a truncated image' };
const [SOF, SOS, DHT, DQT, EOI] = [0xc0, 0xda, 0xc4, 0xdb, 0xd9];

const scan = (bytes: Buffer, acceptTruncated = false) =>
  createImageScan().finish(bytes, { acceptTruncated });
const segmentsOf = (name = 'tiny.jpeg') => piecesOf(samples[name]?.bytes as Buffer, 'image/jpeg');
const whole = Buffer.concat(segmentsOf());

/** Returns the JPEG with its segments of a marker changed; none if `change` returns nothing. */
function changed(marker: number, change: (segment: Buffer) => Buffer | undefined, name?: string) {
  return Buffer.concat(
    segmentsOf(name).flatMap((segment) => {
      if (segment[1] !== marker) return [segment];
      return change(Buffer.from(segment)) ?? [];
    }),
  );
}

/** Returns a change of one byte of a segment; the marker is byte 0 and 1. */
const byte = (at: number, value: number) => (segment: Buffer) => {
  segment[at] = value;
  return segment;
};

/** Returns the JPEG with these bytes behind its first segment. */
function inserted(bytes: number[], name?: string) {
  const [soi, first, ...others] = segmentsOf(name) as [Buffer, Buffer, ...Buffer[]];
  return Buffer.concat([soi, first, Buffer.from(bytes), ...others]);
}

/** Returns a progressive JPEG that has corrections only. */
function withoutFirstScan() {
  const segments = segmentsOf('progressive.jpeg');
  return Buffer.concat(
    segments.toSpliced(
      segments.findIndex((segment) => segment[1] === SOS),
      1,
    ),
  );
}

describe('a JPEG is taken', () => {
  it.each([
    ['with fill bytes before a marker', [0xff, 0xff, 0xff]],
    ['with stray bytes between segments', [0x78, 0x79, 0x7a]],
    ['with stray bytes that look like data', [0xff, 0x00, 0x41]],
    ['with stray restart markers', [0xff, 0xd3]],
    ['with an application segment without a length', [0xff, 0xe5, 0, 0]],
    ['with an empty comment', [0xff, 0xfe, 0, 2]],
    ['with an end marker in a comment', [0xff, 0xfe, 0, 4, 0xff, 0xd9]],
    ['with a restart interval', [0xff, 0xdd, 0, 4, 0, 1]],
  ])('%s', (_, bytes) => {
    const image = inserted(bytes);
    expect(scan(image)).toMatchObject({ state: 'whole', endBytes: image.length });
    expect(scan(image.subarray(0, -1))).toMatchObject(truncated);
  });

  it('without its standard Huffman tables, as in Motion JPEG', () => {
    const image = changed(DHT, () => undefined);
    expect(scan(image)).toMatchObject({ state: 'whole', endBytes: image.length });
  });

  it('with anything between its only scan and its end', () => {
    const odd = Buffer.from('ff05ffdb0009', 'hex');
    const image = changed(EOI, (end) => Buffer.concat([odd, end]));
    expect(scan(image)).toMatchObject({ state: 'whole', endBytes: image.length });
  });

  it('up to its first end marker, if more pictures follow', () => {
    expect(scan(Buffer.concat([whole, whole]))).toMatchObject({ endBytes: whole.length });
  });
});

it('a JPEG in whose picture another one begins is truncated', () => {
  const broken = Buffer.concat([whole.subarray(0, -20), whole]);
  expect(scan(broken)).toMatchObject(truncated);
});

describe('a JPEG that lacks its end marker', () => {
  const cut = whole.subarray(0, -2);

  it('is truncated, unless its source accepts that', () => {
    expect(scan(cut)).toMatchObject(truncated);
    expect(scan(cut, true)).toEqual({
      state: 'whole',
      contentType: 'image/jpeg',
      endBytes: cut.length,
    });
    expect(createImageScan().advance(cut)).toEqual({ state: 'more' });
  });

  it('is truncated all the same if its scan has not begun', () => {
    const head = whole.subarray(0, whole.indexOf(Buffer.from([0xff, SOS])));
    expect(scan(head, true)).toMatchObject(truncated);
  });

  it('is truncated all the same if it has several scans, which no browser shows', () => {
    const several = whole
      .subarray(0, -2)
      .toString('latin1')
      .replace('\xff\xda\0\x0c\x03', '\xff\xda\0\x08\x01');
    expect(several).not.toBe(whole.subarray(0, -2).toString('latin1'));
    expect(scan(Buffer.from(several, 'latin1'), true)).toMatchObject(truncated);
  });

  it('still ends at an end marker', () => {
    expect(scan(Buffer.concat([whole, Buffer.alloc(9)]), true)).toMatchObject({
      endBytes: whole.length,
    });
  });
});

describe('a JPEG that no browser shows is rejected', () => {
  it.each<[string, Buffer]>([
    ['no picture size before the scan', changed(SOF, () => undefined)],
    ['two picture sizes', changed(SOF, (frame) => Buffer.concat([frame, frame]))],
    ['no picture data', changed(SOS, () => undefined)],
    ['its size is zero', changed(SOF, (frame) => byte(5, 0)(byte(6, 0)(frame)))],
    ['a size of 65535 × 8 pixels', changed(SOF, (frame) => byte(7, 255)(byte(8, 255)(frame)))],
    ['12 bits per sample', changed(SOF, byte(4, 12))],
    ['unknown marker ffc3', changed(SOF, byte(1, 0xc3))],
    ['a broken frame header', changed(SOF, byte(9, 2))],
    ['an invalid sampling factor', changed(SOF, byte(11, 0x51))],
    ['an invalid sampling factor', changed(SOF, byte(11, 0x01))],
    ['too many blocks in a scan', changed(SOF, byte(11, 0x44))],
    ['a colour component twice', changed(SOF, (frame) => byte(13, frame[10] ?? 0)(frame))],
    ['no quantization table', changed(SOF, byte(12, 3))],
    ['no quantization table', changed(DQT, () => undefined)],
    ['an invalid quantization table', changed(DQT, byte(4, 4))],
    ['a broken quantization table', changed(DQT, byte(4, 0x10))],
    ['a broken Huffman table', changed(DHT, byte(4, 4))],
    ['a broken Huffman table', changed(DHT, byte(20, 255))],
    ['a broken Huffman table', changed(DHT, byte(5, 2))],
    ['no Huffman table', changed(SOS, byte(6, 0x22))],
    ['a scan of an unknown colour component', changed(SOS, byte(5, 99))],
    ['a scan with a colour component twice', changed(SOS, (head) => byte(7, head[5] ?? 0)(head))],
    ['a broken scan header', changed(SOS, byte(4, 0))],
    ['a broken restart interval', inserted([0xff, 0xdd, 0, 5, 0, 1, 0])],
    ['unknown marker ff02', inserted([0xff, 0x02])],
    ['unknown marker ffd8', inserted([0xff, 0xd8])],
    ['a segment with an invalid length', inserted([0xff, 0xdb, 0, 1])],
    ['broken arithmetic coding', inserted([0xff, 0xcc, 0, 4, 1, 2])],
    ['no picture data', withoutFirstScan()],
    ['no Huffman table', changed(DHT, () => undefined, 'progressive.jpeg')],
    ['a broken progressive scan', changed(SOF, byte(1, 0xc2))],
    ['unknown marker ff05', changed(EOI, () => Buffer.from('ff05ffd9', 'hex'), 'progressive.jpeg')],
  ])('%s', (fault, image) => {
    expect(scan(image)).toEqual({
      state: 'invalid',
      fault: FAULT + fault,
      error: 'destination_unavailable',
    });
  });
});
