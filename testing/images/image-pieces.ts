/**
 * Splits a well-formed image into its segments, chunks, blocks or boxes, so that tests can swap or
 * drop some. Together the pieces are the image.
 */
export function piecesOf(image: Buffer, contentType: string): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at < image.length) {
    const end = Math.min(Math.max(at + 1, pieceEnd(image, at, contentType)), image.length);
    pieces.push(image.subarray(at, end));
    at = end;
  }
  return pieces;
}

function pieceEnd(bytes: Buffer, at: number, contentType: string): number {
  if (contentType === 'image/jpeg') return segmentEnd(bytes, at);
  if (contentType === 'image/png') return at === 0 ? 8 : at + 12 + bytes.readUInt32BE(at);
  if (contentType === 'image/gif') return at === 0 ? gifHeadEnd(bytes) : blockEnd(bytes, at);
  if (contentType === 'image/webp') return at === 0 ? 12 : riffChunkEnd(bytes, at);
  if (contentType === 'image/avif') return at + bytes.readUInt32BE(at);
  return at === 0 ? bytes.readUInt32LE(10) : at + 16;
}

/** A marker alone, or with its segment and the data of a scan. */
function segmentEnd(bytes: Buffer, at: number): number {
  const marker = bytes[at + 1] ?? 0;
  if (marker === 0xd8 || marker === 0xd9) return at + 2;
  let end = at + 2 + bytes.readUInt16BE(at + 2);
  const isData = () => bytes[end] !== 0xff || isInScan(bytes[end + 1] ?? 0);
  if (marker === 0xda) while (end < bytes.length && isData()) end += 1;
  return end;
}

function isInScan(code: number): boolean {
  return code === 0 || (code >= 0xd0 && code <= 0xd7);
}

function gifHeadEnd(bytes: Buffer): number {
  return 13 + paletteBytes(bytes[10] ?? 0);
}

function paletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function blockEnd(bytes: Buffer, at: number): number {
  if (bytes[at] === 0x3b) return at + 1;
  let end = bytes[at] === 0x2c ? at + 11 + paletteBytes(bytes[at + 9] ?? 0) : at + 2;
  while ((bytes[end] ?? 0) > 0) end += 1 + (bytes[end] ?? 0);
  return end + 1;
}

function riffChunkEnd(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32LE(at + 4);
  return at + 8 + length + (length % 2);
}
