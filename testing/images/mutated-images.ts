import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { samples } from '../../worker/src/test-support/images.ts';
import { piecesOf } from './image-pieces.ts';

export interface MutatedImage {
  /** What was done to which sample, for messages. */
  name: string;
  contentType: string;
  bytes: Buffer;
}

type Edit = (bytes: Buffer) => Buffer;

/** Half of the places lie in the head, where each byte means something. */
const place = fc.oneof(fc.nat(100), fc.nat(100_000));
const value = fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xfe, 0xff), fc.nat(255));

const byteEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(([at, bit]) => flipBit(at, bit)),
  fc.tuple(place, fc.array(value, { minLength: 1, maxLength: 4 })).map(overwrite),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 6 })).map(insert),
  fc.tuple(place, fc.integer({ min: 1, max: 20 })).map(remove),
  fc.tuple(place, fc.integer({ min: 1, max: 20 })).map(repeat),
  place.map(cut),
);

/** What happens to the pieces of an image, before its bytes. */
const pieceEdit = fc.record({
  kind: fc.constantFrom('keep', 'keep', 'keep', 'swap', 'drop', 'double'),
  at: fc.nat(20),
  other: fc.nat(20),
});

type Sample = { bytes: Buffer; contentType: string };

/** Returns images with some pieces, fields, bytes or bits changed. */
export function mutantsOf(images: Readonly<Record<string, Sample>>): fc.Arbitrary<MutatedImage> {
  const changes = fc.record({
    sample: fc.constantFrom(...Object.entries(images)),
    pieces: pieceEdit,
    edits: fc.array(byteEdit, { maxLength: 3 }),
    // Otherwise hardly any changed PNG would get past its first chunk.
    repairsChecksums: fc.boolean(),
  });
  return changes.map(({ sample: [name, { bytes, contentType }], ...edit }) => {
    const rearranged = rearrange(piecesOf(bytes, contentType), edit.pieces);
    const edited = edit.edits.reduce((image, change) => change(image), rearranged);
    const isRepaired = edit.repairsChecksums && contentType === 'image/png';
    const mutated = isRepaired ? withChecksums(edited) : edited;
    return { name: `${name} (${edit.pieces.kind})`, contentType, bytes: mutated };
  });
}

/** Mutants of real images of every type. */
export const mutatedImages = mutantsOf(samples);

function rearrange(
  pieces: Buffer[],
  { kind, at, other }: { kind: string; at: number; other: number },
): Buffer {
  const from = at % pieces.length;
  const to = other % pieces.length;
  const rearranged = [...pieces];
  if (kind === 'swap') {
    [rearranged[from], rearranged[to]] = [pieces[to] as Buffer, pieces[from] as Buffer];
  } else if (kind === 'drop') rearranged.splice(from, 1);
  else if (kind === 'double') rearranged.splice(to, 0, pieces[from] as Buffer);
  return Buffer.concat(rearranged);
}

function flipBit(at: number, bit: number): Edit {
  return (bytes) => replace(bytes, at, 1, [(bytes[at % bytes.length] ?? 0) ^ (1 << bit)]);
}

function overwrite([at, values]: [number, number[]]): Edit {
  return (bytes) => replace(bytes, at, values.length, values);
}

function insert([at, values]: [number, Uint8Array]): Edit {
  return (bytes) => replace(bytes, at, 0, values);
}

function remove([at, length]: [number, number]): Edit {
  return (bytes) => replace(bytes, at, length, []);
}

function repeat([at, length]: [number, number]): Edit {
  return (bytes) => {
    const start = at % Math.max(1, bytes.length);
    return replace(bytes, at, 0, bytes.subarray(start, start + length));
  };
}

function cut(at: number): Edit {
  return (bytes) => bytes.subarray(0, at % Math.max(1, bytes.length));
}

function replace(bytes: Buffer, at: number, length: number, values: Iterable<number>): Buffer {
  const start = at % Math.max(1, bytes.length);
  return Buffer.concat([
    bytes.subarray(0, start),
    Buffer.from([...values]),
    bytes.subarray(start + length),
  ]);
}

/** Makes the checksum of each chunk of a PNG right, as far as its chunks can be found. */
function withChecksums(png: Buffer): Buffer {
  const repaired = Buffer.from(png);
  let at = 8;
  while (at + 12 <= repaired.length) {
    const end = at + 8 + repaired.readUInt32BE(at);
    if (end + 4 > repaired.length) break;
    repaired.writeUInt32BE(crc32(repaired.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return repaired;
}
