import { requireProperties } from './avif-properties.ts';
import { type Box, childBoxes, payloadOf } from './boxes.ts';
import { ByteCursor } from './byte-cursor.ts';
import { requireThat } from './scan-input.ts';

/** The types of a picture: AV1, or a grid of such. */
const PICTURES = new Set(['av01', 'grid']);
/** Version and flags. */
const FULL_BOX_BYTES = 4;

/** Places in the file. */
export interface Extent {
  start: number;
  end: number;
}

export interface PictureData {
  /** All data to which the file refers lies before. */
  end: number;
  /** The AV1 data of each picture that is in one piece. */
  pictures: Extent[];
}

/** Reads the payload of a meta box as strictly as browsers do. */
export function readMeta(meta: Buffer): PictureData {
  new ByteCursor(meta).fullBox(0);
  const boxes = childBoxes(meta, FULL_BOX_BYTES);
  requirePictureHandler(meta, boxes);
  const primary = primaryItem(payloadOf(meta, boxes, 'pitm'));
  const types = itemTypes(payloadOf(meta, boxes, 'iinf'));
  requireThat(PICTURES.has(types.get(primary) ?? ''), 'no AV1 picture');
  requireProperties(payloadOf(meta, boxes, 'iprp'), types);
  const references = boxes.find(({ type }) => type === 'iref');
  if (references) requireReferences(meta.subarray(references.start, references.end));
  const { end, extents } = readLocations(payloadOf(meta, boxes, 'iloc'));
  requireThat(extents.has(primary), 'no picture data');
  const pictures = [...extents].flatMap(([item, [extent, second]]) =>
    types.get(item) === 'av01' && extent && !second ? [extent] : [],
  );
  return { end, pictures };
}

function requirePictureHandler(meta: Buffer, boxes: Box[]): void {
  requireThat(boxes[0]?.type === 'hdlr', 'no picture');
  const cursor = new ByteCursor(payloadOf(meta, boxes, 'hdlr'));
  cursor.fullBox(0);
  requireThat(cursor.number(4) === 0 && cursor.text(4) === 'pict', 'no picture');
  requireThat(cursor.text(12) === '\0'.repeat(12), 'a broken handler box');
  cursor.skipText();
}

function primaryItem(pitm: Buffer): number {
  const cursor = new ByteCursor(pitm);
  const { version } = cursor.fullBox(1);
  return cursor.number(version === 0 ? 2 : 4);
}

function itemTypes(iinf: Buffer): Map<number, string> {
  const head = new ByteCursor(iinf);
  const countBytes = head.fullBox(1).version === 0 ? 2 : 4;
  const items = childBoxes(iinf, FULL_BOX_BYTES + countBytes);
  requireThat(head.number(countBytes) === items.length, 'a wrong number of items');
  const types = new Map<number, string>();
  for (const { type, start, end } of items) {
    requireThat(type === 'infe', 'a list of items with something else');
    const cursor = new ByteCursor(iinf.subarray(start, end));
    const { version } = cursor.fullBox(3);
    requireThat(version >= 2, 'an item of an unknown version');
    const id = cursor.number(version === 2 ? 2 : 4);
    cursor.number(2);
    types.set(id, cursor.text(4));
    cursor.skipText();
  }
  return types;
}

/** Items refer to others by number, like a picture's transparency to the picture. */
function requireReferences(iref: Buffer): void {
  const idBytes = iref[0] === 0 ? 2 : 4;
  for (const { start, end } of childBoxes(iref, FULL_BOX_BYTES)) {
    const cursor = new ByteCursor(iref.subarray(start, end));
    requireThat(cursor.number(idBytes) > 0, 'a reference of nothing');
    for (let count = cursor.number(2); count > 0; count -= 1) {
      requireThat(cursor.number(idBytes) > 0, 'a reference to nothing');
    }
  }
}

/** ISO/IEC 14496-12, 8.11.3. An item that is not in the file is in the meta box itself. */
function readLocations(iloc: Buffer): { end: number; extents: Map<number, Extent[]> } {
  const cursor = new ByteCursor(iloc);
  const { version } = cursor.fullBox(2);
  const idBytes = version < 2 ? 2 : 4;
  const sizes = cursor.number(2);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version === 0 ? 0 : sizes & 15;
  const areSizes = [offsetBytes, lengthBytes, baseBytes, indexBytes].every((size) =>
    [0, 4, 8].includes(size),
  );
  // Without a length, a few bytes could stand for any number of extents.
  requireThat(areSizes && lengthBytes > 0, 'broken places of its picture data');
  const extents = new Map<number, Extent[]>();
  let last = 0;
  for (let items = cursor.number(idBytes); items > 0; items -= 1) {
    const item = cursor.number(idBytes);
    const isInFile = version === 0 || (cursor.number(2) & 15) === 0;
    cursor.number(2);
    const base = cursor.number(baseBytes);
    const found = Array.from({ length: cursor.number(2) }, () => {
      cursor.number(indexBytes);
      const start = base + cursor.number(offsetBytes);
      return { start, end: start + cursor.number(lengthBytes) };
    });
    if (found.length > 0) extents.set(item, isInFile ? found : []);
    if (isInFile) last = Math.max(last, ...found.map(({ end }) => end));
  }
  return { end: last, extents };
}
