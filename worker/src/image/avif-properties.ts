import { childBoxes, payloadOf } from './boxes.ts';
import { ByteCursor } from './byte-cursor.ts';
import { requireSize, requireThat } from './scan-input.ts';

const MAX_SIDE = 32_768;
const MAX_PIXELS = 16_384 ** 2;
/** By two flags of an AV1 configuration. */
const BITS = [8, undefined, 10, 12];

/** Reads the properties of items of these types: a picture has a size and a decoder's settings. */
export function requireProperties(iprp: Buffer, items: ReadonlyMap<number, string>): void {
  const boxes = childBoxes(iprp, 0);
  const ipco = payloadOf(iprp, boxes, 'ipco');
  const properties = childBoxes(ipco, 0).map(({ type, start, end }) => {
    const bits = CHECKS[type]?.(new ByteCursor(ipco.subarray(start, end)));
    return { type, bits };
  });
  const indexes = associations(payloadOf(iprp, boxes, 'ipma'), properties.length);
  for (const [item, itemType] of items) {
    if (itemType !== 'av01' && itemType !== 'grid') continue;
    const own = (indexes.get(item) ?? []).flatMap((index) => properties[index - 1] ?? []);
    const types = own.map(({ type }) => type);
    requireThat(types.includes('ispe'), 'no picture size');
    requireThat(itemType === 'grid' || types.includes('av1C'), 'no AV1 configuration');
    const bits = new Set(own.flatMap((property) => property.bits ?? []));
    requireThat(bits.size <= 1, 'two numbers of bits per colour');
  }
}

/** What browsers require of a property. Those that know it return the bits per colour. */
const CHECKS: Readonly<Record<string, (property: ByteCursor) => number | undefined>> = {
  ispe: (property) => {
    property.fullBox(0);
    const [width, height] = [property.number(4), property.number(4)];
    requireSize(width, height);
    const isSmall = Math.max(width, height) <= MAX_SIDE && width * height <= MAX_PIXELS;
    requireThat(isSmall, `a size of ${width} × ${height} pixels`);
    return undefined;
  },
  pixi: (property) => {
    requireThat((property.fullBox(0).flags & 1) === 0, 'unknown flags');
    const planes = property.number(1);
    requireThat(planes >= 1 && planes <= 4, `${planes} colour planes`);
    const bits = new Set(Array.from({ length: planes }, () => property.number(1)));
    requireThat(bits.size === 1, 'several numbers of bits per colour');
    return [...bits][0];
  },
  av1C: (property) => {
    requireThat(property.number(1) === 0x81, 'an AV1 configuration of an unknown version');
    property.number(1);
    const bits = BITS[(property.number(1) >> 5) & 3];
    const delay = property.number(1);
    const isDelay = delay >> 5 === 0 && (delay === 0 || delay >= 16);
    requireThat(bits !== undefined && isDelay, 'a broken AV1 configuration');
    return bits;
  },
  colr: (property) => {
    if (property.text(4) !== 'nclx') return undefined;
    property.number(6);
    requireThat((property.number(1) & 0x7f) === 0, 'broken colours');
    return undefined;
  },
  auxC: (property) => {
    property.fullBox(0);
    property.skipText();
    return undefined;
  },
};

/** Returns the numbers of each item's properties, beginning with 1; 0 stands for none. */
function associations(ipma: Buffer, properties: number): Map<number, number[]> {
  const cursor = new ByteCursor(ipma);
  const { version, flags } = cursor.fullBox(1);
  const indexBytes = flags & 1 ? 2 : 1;
  const essentialBit = flags & 1 ? 0x8000 : 0x80;
  const byItem = new Map<number, number[]>();
  for (let items = cursor.number(4); items > 0; items -= 1) {
    const item = cursor.number(version === 0 ? 2 : 4);
    const indexes = Array.from({ length: cursor.number(1) }, () => {
      const index = cursor.number(indexBytes) % essentialBit;
      requireThat(index <= properties, 'a property that is missing');
      return index;
    });
    byItem.set(item, indexes);
  }
  return byItem;
}
