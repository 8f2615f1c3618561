import { requireThat } from './scan-input.ts';

/** What a table can be used for; an unused broken one harms nothing. */
export interface HuffmanTable {
  isDc: boolean;
  isAc: boolean;
}

/** Returns the tables of a DHT segment by class and number. */
export function huffmanTables(payload: Buffer): [number: number, HuffmanTable][] {
  const tables: [number, HuffmanTable][] = [];
  let at = 0;
  while (at + 17 <= payload.length) {
    const number = payload[at] ?? 0;
    const counts = payload.subarray(at + 1, at + 17);
    const symbols = counts.reduce((sum, count) => sum + count, 0);
    at += 17 + symbols;
    const isTable = (number & ~0x10) < 4 && symbols <= 256 && at <= payload.length;
    requireThat(isTable, 'a broken Huffman table');
    const isAc = fitsCodes(counts);
    // A DC symbol is a number of bits.
    const isDc = isAc && payload.subarray(at - symbols, at).every((symbol) => symbol <= 15);
    tables.push([number, { isDc, isAc }]);
  }
  requireThat(at === payload.length, 'a broken Huffman table');
  return tables;
}

/** Returns whether there are as many codes of each length as the table needs, none all ones. */
function fitsCodes(counts: Uint8Array): boolean {
  let code = 0;
  for (const [index, count] of counts.entries()) {
    code = code * 2 + count;
    if (count > 0 && code >= 2 ** (index + 1)) return false;
  }
  return true;
}
