import { type HuffmanTable, huffmanTables } from './jpeg-huffman.ts';
import { requireSize, requireThat } from './scan-input.ts';

/** What libjpeg needs to know before it decodes a scan. */
export interface JpegHeaders {
  frame?: Frame | undefined;
  quantization: Set<number>;
  /** By class and number, as in DHT: 0x00–0x03 for DC, 0x10–0x13 for AC. */
  huffman: Map<number, HuffmanTable>;
  scans: number;
  /** The components of which there is more than corrections. */
  begun: Set<Component>;
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
  return {
    quantization: new Set(),
    huffman: new Map(),
    scans: 0,
    begun: new Set(),
    isLastScan: false,
  };
}

/** Returns whether decoders show something when no more scans follow. */
export function isShowable({ frame, scans, begun }: JpegHeaders): boolean {
  if (!frame || scans === 0) return false;
  return !frame.isProgressive || begun.size === frame.components.size;
}

/** Returns whether decoders show something even without the end marker. */
export function isShowableCut(headers: JpegHeaders): boolean {
  return headers.isLastScan || (headers.frame?.isProgressive === true && isShowable(headers));
}

/** Reads a segment's payload. Throws where libjpeg gives up. */
export function readSegment(headers: JpegHeaders, marker: number, payload: Buffer): void {
  if (marker === SOS) readScan(headers, payload);
  else if (marker === DHT) readHuffman(headers, payload);
  else if (marker === DQT) readQuantization(headers, payload);
  else if (marker === DAC) requireConditioning(payload);
  else if (marker === DRI) requireThat(payload.length === 2, 'a broken restart interval');
  else readFrame(headers, marker, payload);
}

function readFrame(headers: JpegHeaders, marker: number, payload: Buffer): void {
  requireThat(headers.frame === undefined, 'two picture sizes');
  const count = payload[5] ?? 0;
  requireThat(payload.length === 6 + 3 * count, 'a broken frame header');
  requireThat(payload[0] === 8, `${payload[0]} bits per sample`);
  const height = payload.readUInt16BE(1);
  const width = payload.readUInt16BE(3);
  requireSize(width, height);
  requireThat(width <= MAX_SIDE && height <= MAX_SIDE, `a size of ${width} × ${height} pixels`);
  requireThat([1, 3, 4].includes(count), `${count} colour components`);
  const components = new Map<number, Component>();
  for (let at = 6; at < payload.length; at += 3) {
    const [id = 0, sampling = 0, quantization = 0] = payload.subarray(at, at + 3);
    components.set(id, { across: sampling >> 4, down: sampling & 15, quantization });
  }
  requireThat(components.size === count, 'a colour component twice');
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
    requireThat(isFactor && isWhole, 'an invalid sampling factor');
  }
}

function readQuantization({ quantization }: JpegHeaders, payload: Buffer): void {
  let at = 0;
  while (at < payload.length) {
    const head = payload[at] ?? 0;
    requireThat((head & 15) < 4, 'an invalid quantization table');
    quantization.add(head & 15);
    at += head >> 4 === 0 ? 65 : 129;
  }
  requireThat(at === payload.length, 'a broken quantization table');
}

function readHuffman({ huffman }: JpegHeaders, payload: Buffer): void {
  for (const [number, table] of huffmanTables(payload)) huffman.set(number, table);
}

/** Of arithmetic coding: pairs of a table and a value, of which those for DC hold two bounds. */
function requireConditioning(payload: Buffer): void {
  for (let at = 0; at < payload.length; at += 2) {
    const [table = 0, value] = payload.subarray(at, at + 2);
    const isOrdered = value !== undefined && (table >= 16 || (value & 15) <= value >> 4);
    requireThat(table < 32 && isOrdered, 'broken arithmetic coding');
  }
}

function readScan(headers: JpegHeaders, payload: Buffer): void {
  const { frame } = headers;
  requireThat(frame !== undefined, 'no picture size before the scan');
  const selected = selectComponents(headers, frame, payload);
  const [start = 0, end = 0, approximation = 0] = payload.subarray(-3);
  if (frame.isProgressive) requireProgression(selected.size, start, end, approximation);
  const isFirst = start === 0 && approximation >> 4 === 0;
  for (const [component, tables] of selected) {
    // Progressive scans use one kind of table, and corrections of DC none.
    const usesDc = !frame.isProgressive || isFirst;
    const usesAc = !frame.isProgressive || start > 0;
    if (usesDc && !frame.isArithmetic) requireTable(headers, tables >> 4);
    if (usesAc && !frame.isArithmetic) requireTable(headers, 0x10 | (tables & 15));
    if (usesDc) headers.begun.add(component);
  }
  headers.isLastScan =
    !frame.isProgressive && headers.scans === 0 && selected.size === frame.components.size;
  headers.scans += 1;
}

/** Returns the components of a scan and the numbers of their Huffman tables. */
function selectComponents(
  { quantization }: JpegHeaders,
  { components }: Frame,
  payload: Buffer,
): Map<Component, number> {
  const count = payload[0] ?? 0;
  requireThat(count >= 1 && count <= 4 && payload.length === 4 + 2 * count, 'a broken scan header');
  const selected = new Map<Component, number>();
  for (let at = 1; at <= 2 * count; at += 2) {
    const component = components.get(payload[at] ?? 0);
    requireThat(component !== undefined, 'a scan of an unknown colour component');
    requireThat(quantization.has(component.quantization), 'no quantization table');
    selected.set(component, payload[at + 1] ?? 0);
  }
  requireThat(selected.size === count, 'a scan with a colour component twice');
  const blocks = [...selected.keys()].reduce((sum, { across, down }) => sum + across * down, 0);
  requireThat(count === 1 || blocks <= MAX_BLOCKS, 'too many blocks in a scan');
  return selected;
}

function requireProgression(count: number, start: number, end: number, approximation: number) {
  const high = approximation >> 4;
  const low = approximation & 15;
  const isBand = start === 0 ? end === 0 : start <= end && end < 64 && count === 1;
  requireThat(isBand && low <= 13 && (high === 0 || low === high - 1), 'a broken progressive scan');
}

/** Motion-JPEG frames leave out the standard tables 0 and 1; decoders have them built in. */
function requireTable({ huffman, frame }: JpegHeaders, number: number): void {
  const table = huffman.get(number);
  const isStandard = !frame?.isProgressive && (number & 15) < 2;
  requireThat(table !== undefined || isStandard, 'no Huffman table');
  requireThat(
    table === undefined || (number < 0x10 ? table.isDc : table.isAc),
    'a broken Huffman table',
  );
}
