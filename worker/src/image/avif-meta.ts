import { type Box, childBoxes } from './boxes.ts';
import { ByteCursor } from './byte-cursor.ts';
import { require } from './scan-input.ts';

/** Behind its version and flags. */
const FULL_HEAD_BYTES = 4;
/** The types of a picture: AV1, or a grid of such. */
const PICTURES = new Set(['av01', 'grid']);

/**
 * Reads the payload of a meta box and returns where in the file the data of its items ends. Requires
 * what browsers require.
 */
export function pictureDataEnd(meta: Buffer): number {
  const boxes = childBoxes(meta, FULL_HEAD_BYTES);
  require(boxes[0]?.type === 'hdlr', 'no picture');
  const payload = (type: string): Buffer => payloadOf(meta, boxes, type);
  require(payload('hdlr').toString('latin1', 8, 12) === 'pict', 'no picture');
  const primary = primaryItem(payload('pitm'));
  require(PICTURES.has(typeOfItem(payload('iinf'), primary) ?? ''), 'no AV1 picture');
  requireProperties(payload('iprp'));
  return lastExtentEnd(payload('iloc'), primary);
}

function payloadOf(bytes: Buffer, boxes: Box[], type: string): Buffer {
  const [box, second] = boxes.filter((candidate) => candidate.type === type);
  require(box !== undefined && second === undefined, `no ${type} box, or two`);
  return bytes.subarray(box.start, box.end);
}

function primaryItem(pitm: Buffer): number {
  const cursor = new ByteCursor(pitm);
  const version = cursor.read(1);
  cursor.read(3);
  return cursor.read(version === 0 ? 2 : 4);
}

function typeOfItem(iinf: Buffer, item: number): string | undefined {
  const headBytes = FULL_HEAD_BYTES + (iinf[0] === 0 ? 2 : 4);
  for (const { type, start, end } of childBoxes(iinf, headBytes)) {
    if (type !== 'infe') continue;
    const cursor = new ByteCursor(iinf.subarray(start, end));
    const version = cursor.read(1);
    cursor.read(3);
    require(version === 2 || version === 3, 'an item of an unknown version');
    const id = cursor.read(version === 2 ? 2 : 4);
    cursor.read(2);
    const itemType = cursor.text(4);
    if (id === item) return itemType;
  }
  return undefined;
}

/** A picture has a size and a configuration of its decoder. */
function requireProperties(iprp: Buffer): void {
  const boxes = childBoxes(iprp, 0);
  const properties = childBoxes(payloadOf(iprp, boxes, 'ipco'), 0).map(({ type }) => type);
  require(boxes.some(({ type }) => type === 'ipma'), 'no properties of its picture');
  require(properties.includes('ispe'), 'no picture size');
  require(properties.includes('av1C'), 'no AV1 configuration');
}

/** ISO/IEC 14496-12, 8.11.3. Data may be in the file or in the meta box itself. */
function lastExtentEnd(iloc: Buffer, primary: number): number {
  const cursor = new ByteCursor(iloc);
  const version = cursor.read(1);
  cursor.read(3);
  const sizes = cursor.read(2);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version === 0 ? 0 : sizes & 15;
  require(offsetBytes + lengthBytes > 0, 'no places of its picture data');
  const items = cursor.read(version < 2 ? 2 : 4);
  let end = 0;
  let hasPrimary = false;
  for (let item = 0; item < items; item += 1) {
    const id = cursor.read(version < 2 ? 2 : 4);
    const isInFile = version === 0 || (cursor.read(2) & 15) === 0;
    cursor.read(2);
    const base = cursor.read(baseBytes);
    const extents = cursor.read(2);
    hasPrimary ||= id === primary && extents > 0;
    for (let extent = 0; extent < extents; extent += 1) {
      cursor.read(indexBytes);
      const extentEnd = base + cursor.read(offsetBytes) + cursor.read(lengthBytes);
      if (isInFile) end = Math.max(end, extentEnd);
    }
  }
  require(hasPrimary, 'no picture data');
  return end;
}
