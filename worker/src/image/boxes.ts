import { requireThat } from './scan-input.ts';

/** A box of an ISO base media file: `start` is behind its head. */
export interface Box {
  type: string;
  start: number;
  /** Infinity if it extends to the end of the file. */
  end: number;
}

/** Size and type, and a longer size. */
export const BOX_HEAD_BYTES = 8;
export const LONG_BOX_HEAD_BYTES = 16;

/** Returns the length of the head of a box of which 8 bytes are there. */
export function boxHeadBytes(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) === 1 ? LONG_BOX_HEAD_BYTES : BOX_HEAD_BYTES;
}

/** Reads the head of a box, all of which must be there. */
export function boxAt(bytes: Buffer, at: number): Box {
  const start = at + boxHeadBytes(bytes, at);
  const type = bytes.toString('latin1', at + 4, at + 8);
  const size = bytes.readUInt32BE(at);
  if (size === 0) return { type, start, end: Number.POSITIVE_INFINITY };
  const end = at + (size === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : size);
  requireThat(end >= start, 'a box with an invalid size');
  return { type, start, end };
}

/** Returns the boxes inside another. */
export function childBoxes(bytes: Buffer, from: number): Box[] {
  const boxes: Box[] = [];
  let at = from;
  while (at < bytes.length) {
    requireThat(at + BOX_HEAD_BYTES <= bytes.length, 'a broken box');
    requireThat(at + boxHeadBytes(bytes, at) <= bytes.length, 'a broken box');
    const box = boxAt(bytes, at);
    requireThat(box.end <= bytes.length, 'a box longer than the one around it');
    boxes.push(box);
    at = box.end;
  }
  return boxes;
}

/** Returns the content of the one box of a type. */
export function payloadOf(bytes: Buffer, boxes: Box[], type: string): Buffer {
  const [box, second] = boxes.filter((candidate) => candidate.type === type);
  requireThat(box !== undefined && second === undefined, `no ${type} box, or two`);
  return bytes.subarray(box.start, box.end);
}
