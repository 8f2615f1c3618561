import { type Fields, parseFields } from '../header-fields.ts';
import { GrowingBytes } from './growing-bytes.ts';

export interface ResponseHead {
  statusCode: number;
  fields: Fields;
}

export type HeadResult =
  | { state: 'more' }
  | { state: 'invalid'; fault: string }
  /** `rest` is what has arrived after the head. */
  | { state: 'whole'; head: ResponseHead; rest: Buffer };

/** Reads one head after another: a camera may send 1xx responses before the final one. */
export interface HeadReader {
  read(piece: Buffer): HeadResult;
}

const MAX_HEAD_BYTES = 64 * 1024;
const LF = 0x0a;
const CR = 0x0d;

const NOT_HTTP = "the camera's response is not valid HTTP; is this port an HTTP server?";
const NEEDS_HTTPS = "this port of the camera speaks https; write https:// in the camera's url";
const SPEAKS_RTSP =
  'this port of the camera speaks RTSP; use the URL of its HTTP snapshot, or a gateway such as go2rtc';

/**
 * Accepts what browsers accept: lines that end in LF alone, lines that are not header fields, and
 * any bytes in a value. Nothing is forwarded, and a connection carries one request, so nobody can
 * be made to read the bytes differently.
 */
export function createHeadReader(): HeadReader {
  const received = new GrowingBytes();
  /** The head does not end before this position. */
  let lineStart = 0;
  const takeHead = (endBytes: number): HeadResult => {
    const { bytes } = received;
    const head = parseHead(bytes.toString('latin1', 0, endBytes));
    const rest = Buffer.from(bytes.subarray(endBytes));
    received.drop(bytes.length);
    lineStart = 0;
    return head ? { state: 'whole', head, rest } : { state: 'invalid', fault: NOT_HTTP };
  };
  return {
    read: (piece) => {
      received.append(received.length > 0 ? piece : withoutEmptyLines(piece));
      const { bytes } = received;
      const fault = faultOfStart(bytes);
      if (fault !== undefined) return { state: 'invalid', fault };
      const { endBytes, lastLineStart } = findEmptyLine(bytes, lineStart);
      lineStart = lastLineStart;
      if ((endBytes ?? bytes.length) > MAX_HEAD_BYTES) {
        const fault = `the head of the camera's response is larger than ${MAX_HEAD_BYTES} bytes`;
        return { state: 'invalid', fault };
      }
      return endBytes === undefined ? { state: 'more' } : takeHead(endBytes);
    },
  };
}

function withoutEmptyLines(piece: Buffer): Buffer {
  const start = piece.findIndex((byte) => byte !== CR && byte !== LF);
  return piece.subarray(start === -1 ? piece.length : start);
}

/** Enough to tell HTTP from other protocols, after a few stray bytes. */
const START_BYTES = 8;

/** What cannot become HTTP is rejected at once, because its head may never end. */
function faultOfStart(bytes: Buffer): string | undefined {
  const start = bytes.toString('latin1', 0, START_BYTES);
  if (/^[\x14-\x17]\x03/.test(start)) return NEEDS_HTTPS;
  if (start.startsWith('RTSP/')) return SPEAKS_RTSP;
  return start.length === START_BYTES && !/HTTP|^ICY /i.test(start) ? NOT_HTTP : undefined;
}

/** Finds the end of the first empty line, or else the start of the unfinished last line. */
function findEmptyLine(bytes: Buffer, from: number): { endBytes?: number; lastLineStart: number } {
  let lineStart = from;
  while (true) {
    const lineEnd = bytes.indexOf(LF, lineStart);
    if (lineEnd === -1) return { lastLineStart: lineStart };
    let textEnd = lineEnd;
    while (textEnd > lineStart && bytes[textEnd - 1] === CR) textEnd -= 1;
    if (textEnd === lineStart) return { endBytes: lineEnd + 1, lastLineStart: lineStart };
    lineStart = lineEnd + 1;
  }
}

function parseHead(text: string): ResponseHead | undefined {
  const [statusLine = '', ...lines] = text.split('\n');
  const [, status] =
    /^.{0,4}?(?:HTTP(?:\/\d+(?:\.\d+)?)?|ICY)[ \t]+(\d{3})(?!\d)/i.exec(statusLine) ?? [];
  return status === undefined
    ? undefined
    : { statusCode: Number(status), fields: parseFields(lines) };
}
