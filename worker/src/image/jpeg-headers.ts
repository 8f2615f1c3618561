import { type HuffmanTable, huffmanTables } from './jpeg-huffman.ts';
import { require, requireSize } from './scan-input.ts';

/** What libjpeg needs to know before it decodes a scan. */
export interface JpegHeaders {
  frame?: Frame | undefined;
  quantization: Set<number>;
  /** By class and number, as in DHT: 0x00–0x03 for DC, 0x10–0x13 for AC. */
  huffman: Map<number, HuffmanTable>;
  scans: number;
  /** The scan that has begun holds all of the picture. */
  isLastScan: boolean;
}

interface Frame {
  isProgressive: boolean;
  isArithmetic: boolean;
  components: Map<number, Component>;
}

interface Component {
  across: number;
  down: number;
  quantization: number;
}

const MAX_SIDE = 65_500;
const MAX_BLOCKS = 10;
const SOS = 0xda;
/** Baseline, extended and progressive, each also with arithmetic coding. */
const FRAMES = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];
const DHT = 0xc4;
const DAC = 0xcc;
const DQT = 0xdb;
const DRI = 0xdd;
/** The segments that decoders read. They reject all others that they don't skip. */
export const READ: ReadonlySet<number> = new Set([...FRAMES, DHT, DAC, DQT, DRI, SOS]);

export function newHeaders(): JpegHeaders {
  return { quantization: new Set(), huffman: new Map(), scans: 0, isLastScan: false };
}

/** Reads a segment's payload. Throws where libjpeg gives up. */
export function readSegment(headers: JpegHeaders, marker: number, payload: Buffer): void {
  if (marker === SOS) readScan(headers, payload);
  else if (marker === DHT) readHuffman(headers, payload);
  else if (marker === DQT) readQuantization(headers, payload);
  else if (marker === DAC) requireConditioning(payload);
  else if (marker === DRI) require(payload.length === 2, 'a broken restart interval');
  else readFrame(headers, marker, payload);
}

function readFrame(headers: JpegHeaders, marker: number, payload: Buffer): void {
  require(headers.frame === undefined, 'two picture sizes');
  const count = payload[5] ?? 0;
  require(payload.length === 6 + 3 * count, 'a broken frame header');
  require(payload[0] === 8, `${payload[0]} bits per sample`);
  const height = payload.readUInt16BE(1);
  const width = payload.readUInt16BE(3);
  requireSize(width, height);
  require(width <= MAX_SIDE && height <= MAX_SIDE, `a size of ${width} × ${height} pixels`);
  require([1, 3, 4].includes(count), `${count} colour components`);
  const components = new Map<number, Component>();
  for (let at = 6; at < payload.length; at += 3) {
    const [id = 0, sampling = 0, quantization = 0] = payload.subarray(at, at + 3);
    components.set(id, { across: sampling >> 4, down: sampling & 15, quantization });
  }
  require(components.size === count, 'a colour component twice');
  requireSampling([...components.values()]);
  const isProgressive = marker === 0xc2 || marker === 0xca;
  headers.frame = { isProgressive, isArithmetic: marker >= 0xc9, components };
}

function requireSampling(components: Component[]): void {
  const maxAcross = Math.max(...components.map(({ across }) => across));
  const maxDown = Math.max(...components.map(({ down }) => down));
  for (const { across, down } of components) {
    const isFactor = across >= 1 && across <= 4 && down >= 1 && down <= 4;
    const isWhole = maxAcross % across === 0 && maxDown % down === 0;
    require(isFactor && isWhole, 'an invalid sampling factor');
  }
}

function readQuantization({ quantization }: JpegHeaders, payload: Buffer): void {
  let at = 0;
  while (at < payload.length) {
    const head = payload[at] ?? 0;
    require((head & 15) < 4, 'an invalid quantization table');
    quantization.add(head & 15);
    at += head >> 4 === 0 ? 65 : 129;
  }
  require(at === payload.length, 'a broken quantization table');
}

function readHuffman({ huffman }: JpegHeaders, payload: Buffer): void {
  for (const [number, table] of huffmanTables(payload)) huffman.set(number, table);
}

/** Of arithmetic coding: pairs of a table and a value, of which those for DC hold two bounds. */
function requireConditioning(payload: Buffer): void {
  for (let at = 0; at < payload.length; at += 2) {
    const [table = 0, value] = payload.subarray(at, at + 2);
    const isOrdered = value !== undefined && (table >= 16 || (value & 15) <= value >> 4);
    require(table < 32 && isOrdered, 'broken arithmetic coding');
  }
}

function readScan(headers: JpegHeaders, payload: Buffer): void {
  const { frame, quantization } = headers;
  require(frame !== undefined, 'no picture size before the scan');
  const count = payload[0] ?? 0;
  require(count >= 1 && count <= 4 && payload.length === 4 + 2 * count, 'a broken scan header');
  const selected = new Map<Component, number>();
  for (let at = 1; at <= 2 * count; at += 2) {
    const component = frame.components.get(payload[at] ?? 0);
    require(component !== undefined, 'a scan of an unknown colour component');
    require(quantization.has(component.quantization), 'no quantization table');
    selected.set(component, payload[at + 1] ?? 0);
  }
  require(selected.size === count, 'a scan with a colour component twice');
  const blocks = [...selected.keys()].reduce((sum, { across, down }) => sum + across * down, 0);
  require(count === 1 || blocks <= MAX_BLOCKS, 'too many blocks in a scan');
  const [start = 0, end = 0, approximation = 0] = payload.subarray(-3);
  if (frame.isProgressive) requireProgression(count, start, end, approximation);
  if (!frame.isArithmetic) {
    const isFirst = approximation >> 4 === 0;
    for (const tables of selected.values()) {
      // Progressive scans use one kind of table, and corrections of DC none.
      if (!frame.isProgressive || (start === 0 && isFirst)) requireTable(headers, tables >> 4);
      if (!frame.isProgressive || start > 0) requireTable(headers, 0x10 | (tables & 15));
    }
  }
  headers.scans += 1;
  headers.isLastScan =
    !frame.isProgressive && headers.scans === 1 && count === frame.components.size;
}

function requireProgression(count: number, start: number, end: number, approximation: number) {
  const high = approximation >> 4;
  const low = approximation & 15;
  const isBand = start === 0 ? end === 0 : start <= end && end < 64 && count === 1;
  require(isBand && low <= 13 && (high === 0 || low === high - 1), 'a broken progressive scan');
}

/** Motion-JPEG frames leave out the standard tables 0 and 1; decoders have them built in. */
function requireTable({ huffman, frame }: JpegHeaders, number: number): void {
  const table = huffman.get(number);
  const isStandard = !frame?.isProgressive && (number & 15) < 2;
  require(table !== undefined || isStandard, 'no Huffman table');
  require(table === undefined ||
    (number < 0x10 ? table.isDc : table.isAc), 'a broken Huffman table');
}
