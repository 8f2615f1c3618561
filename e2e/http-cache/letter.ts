import { image } from '../../worker/src/test-support/images.ts';

/** What the suite's origin answered, carried through Lastframe in two comments of a JPEG. */
export interface Letter {
  headers: Record<string, string>;
  body: string;
}

export interface OpenedLetter extends Letter {
  /** Where in the JPEG the body is, as it stands, so that a range of one is a range of the other. */
  bodyAt: number;
  totalBytes: number;
}

const START = Buffer.from([0xff, 0xd8]);
const COMMENT = 0xfffe;
const SEGMENT_HEAD_BYTES = 4;

export function writeLetter({ headers, body }: Letter): Buffer {
  const picture = image('jpeg').subarray(START.length);
  return Buffer.concat([START, comment(JSON.stringify(headers)), comment(body), picture]);
}

/** Throws when these are not the bytes that `writeLetter` wrote. */
export function openLetter(bytes: Buffer): OpenedLetter {
  const head = readComment(bytes, START.length);
  const body = readComment(bytes, head.endsAt);
  return {
    headers: JSON.parse(head.text),
    body: body.text,
    bodyAt: head.endsAt + SEGMENT_HEAD_BYTES,
    totalBytes: bytes.length,
  };
}

function comment(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES);
  head.writeUInt16BE(COMMENT, 0);
  // The length counts itself, not the marker.
  head.writeUInt16BE(bytes.length + 2, 2);
  return Buffer.concat([head, bytes]);
}

function readComment(bytes: Buffer, at: number): { text: string; endsAt: number } {
  if (bytes.readUInt16BE(at) !== COMMENT) throw new Error('the JPEG has no comment where one was');
  const endsAt = at + 2 + bytes.readUInt16BE(at + 2);
  return { text: bytes.toString('utf8', at + SEGMENT_HEAD_BYTES, endsAt), endsAt };
}
