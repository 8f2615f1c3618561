import { expect, it } from 'vitest';
import { cpuMsOf } from '../../../e2e/security/growth.ts';
import { createImageScan } from './image-scan.ts';

/** Just enough of an AVIF to get to its data. */
function box(type: string, ...parts: Buffer[]): Buffer {
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(payload.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, payload]);
}

/** Returns a full box with a list of this length. */
function list(type: string, count: number, entry: (id: number) => Buffer, countBytes = 2): Buffer {
  const head = Buffer.alloc(4 + countBytes);
  head.writeUIntBE(count, 4, countBytes);
  return box(type, head, ...Array.from({ length: count }, (_, index) => entry(index + 1)));
}

function bytes(...values: (number | string)[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      if (typeof value === 'string') return Buffer.from(value, 'latin1');
      const number = Buffer.alloc(2);
      number.writeUInt16BE(value);
      return number;
    }),
  );
}

function meta(items: number, iloc: Buffer): Buffer {
  const ispe = box('ispe', Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]));
  const av1C = box('av1C', Buffer.from([0x81, 0, 0, 0]));
  return box(
    'meta',
    Buffer.alloc(4),
    box('hdlr', Buffer.alloc(8), bytes('pict'), Buffer.alloc(13)),
    box('pitm', bytes(0, 0, 1)),
    list('iinf', items, (id) => box('infe', bytes('\x02\0\0\0', id, 0, 'av01\0'))),
    box(
      'iprp',
      box('ipco', ispe, av1C),
      list('ipma', items, (id) => bytes(id, '\x02\x01\x02'), 4),
    ),
    iloc,
  );
}

const FILE_TYPE = box('ftyp', bytes('avif\0\0\0\0avif'));
const ITEMS = 5000;

/** Returns places of 4 bytes each for offset and length. */
function locations(start: number, length: number): Buffer {
  const place = Buffer.alloc(8);
  place.writeUInt32BE(start, 0);
  place.writeUInt32BE(length, 4);
  const iloc = list('iloc', ITEMS, (id) => Buffer.concat([bytes(id, 0, 1), place]));
  // The sizes of the fields come before the number of items.
  return Buffer.concat([iloc.subarray(0, 12), bytes(0x4400), iloc.subarray(12)]);
}

function sized(iloc: Buffer): Buffer {
  iloc.writeUInt32BE(iloc.length, 0);
  return iloc;
}

it('data that thousands of pictures share is read once', () => {
  const data = Buffer.alloc(2_000_000, Buffer.from([0x12, 0]));
  data.set([0x0a, 0], 0);
  data.set([0x32, 0], data.length - 2);
  const dataAt = FILE_TYPE.length + meta(ITEMS, sized(locations(0, 0))).length + 8;
  const avif = Buffer.concat([
    FILE_TYPE,
    meta(ITEMS, sized(locations(dataAt, data.length))),
    box('mdat', data),
  ]);
  const scan = () => createImageScan().finish(avif, { acceptTruncated: false });
  expect(scan()).toEqual({ state: 'whole', contentType: 'image/avif', endBytes: avif.length });
  expect(cpuMsOf(scan)).toBeLessThan(3000);
});
