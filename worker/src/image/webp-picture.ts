import { requireSize, requireThat } from './scan-input.ts';

export interface Size {
  width: number;
  height: number;
}

/** Returns the size in the head of a VP8 or VP8L picture; undefined for other chunks. */
export function pictureSizeOf(type: string, payload: Buffer): Size | undefined {
  if (type === 'VP8 ') return lossySize(payload);
  if (type === 'VP8L') return losslessSize(payload);
  return undefined;
}

/** RFC 6386, section 9.1: a shown key frame of a known version, with its first partition. */
function lossySize(payload: Buffer): Size {
  requireThat(payload.length > 10, 'a broken picture header');
  const tag = payload.readUIntLE(0, 3);
  const isShownKeyFrame = (tag & 0x11) === 0x10 && ((tag >> 1) & 7) <= 3;
  const firstPartition = tag >> 5;
  const isStart = payload.readUIntBE(3, 3) === 0x9d012a;
  const isWhole = firstPartition > 0 && firstPartition < payload.length;
  requireThat(isShownKeyFrame && isStart && isWhole, 'a broken picture header');
  return sized(payload.readUInt16LE(6) & 0x3fff, payload.readUInt16LE(8) & 0x3fff);
}

/** Its signature, two sizes of 14 bits less one, and a version of 0. */
function losslessSize(payload: Buffer): Size {
  requireThat(payload.length > 5 && payload[0] === 0x2f, 'a broken picture header');
  const head = payload.readUInt32LE(1);
  requireThat(head >>> 29 === 0, 'a picture of an unknown version');
  return sized(1 + (head & 0x3fff), 1 + ((head >>> 14) & 0x3fff));
}

function sized(width: number, height: number): Size {
  requireSize(width, height);
  return { width, height };
}
