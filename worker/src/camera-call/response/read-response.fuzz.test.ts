import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createImageScan } from '../../image/image-scan.ts';
import { type ImageKind, image } from '../../test-support/images.ts';
import { loginWithoutAuth } from '../login/login.ts';
import { createResponseReader } from './read-response.ts';
import type { ReadResult } from './read-result.ts';

/** `make fuzz` raises it. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 1000);

const MAX_BYTES = 16 * 1024;
const KINDS: ImageKind[] = ['jpeg', 'png', 'gif', 'webp', 'avif', 'bmp'];

const chunk = (bytes: Buffer) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
const inChunks = (body: Buffer) =>
  Buffer.concat([
    chunk(body.subarray(0, 100)),
    chunk(body.subarray(100)),
    Buffer.from('0\r\n\r\n'),
  ]);
const asPart = (body: Buffer) =>
  Buffer.concat([
    Buffer.from('--cam\r\nContent-Type: image/jpeg\r\n\r\n'),
    body,
    Buffer.from('\r\n'),
  ]);

/** How a camera may pack an image: the header fields and the body. */
const packagings = fc.constantFrom<(body: Buffer) => [fields: string[], body: Buffer]>(
  (body) => [[`Content-Length: ${body.length}`], body],
  (body) => [[], body],
  (body) => [['Transfer-Encoding: chunked'], inChunks(body)],
  (body) => [['Content-Encoding: gzip'], gzipSync(body)],
  (body) => [
    ['Content-Type: multipart/x-mixed-replace;boundary=cam'],
    Buffer.concat([asPart(body.subarray(10)), asPart(body), asPart(body)]),
  ],
);
const oddFields = fc.array(
  fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.tuple(
      fc.constantFrom(
        ...['Content-Length', 'Transfer-Encoding', 'Content-Encoding', 'Content-Type', 'Location'],
        ...['ETag', 'Last-Modified', 'Date', 'Retry-After', 'Connection', 'WWW-Authenticate'],
      ),
      fc.constantFrom(':', ' : ', '=', ':\t', ''),
      fc.oneof(
        fc.string({ maxLength: 40 }),
        fc.constantFrom(
          '0',
          '-1',
          '1e400',
          '4294967295',
          '7, 7',
          'chunked',
          'identity',
          'gzip',
          'br',
        ),
        fc.constantFrom(
          'multipart/x-mixed-replace',
          'image/jpeg',
          'deflate',
          'close',
          'x'.repeat(9000),
        ),
      ),
    ),
  ),
  { maxLength: 3 },
);
const statusLines = fc.oneof(
  { weight: 8, arbitrary: fc.constant('HTTP/1.1 200 OK') },
  fc.constantFrom('HTTP/1.1 200', 'HTTP/1.0 203 x', 'HTTP/1.1 206', 'ICY 200 OK', 'HTTP/1.1 304'),
  fc.constantFrom('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK', 'HTTP/1.1 999', 'HTTP/1.1 -1'),
  fc.string({ maxLength: 30 }),
);
/** Changes a few bytes, wherever they are. */
const mutations = fc.array(
  fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom('set', 'cut', 'insert', 'drop'),
    fc.nat(255),
  ),
  { maxLength: 3 },
);

function mutate(bytes: Buffer, changes: [at: number, change: string, byte: number][]): Buffer {
  let result = Buffer.from(bytes);
  for (const [share, change, byte] of changes) {
    const at = Math.floor(share * result.length);
    if (change === 'set') result[at] = byte;
    else if (change === 'cut') result = result.subarray(0, at);
    else {
      const rest = result.subarray(change === 'drop' ? at + 1 + (byte % 20) : at);
      const inserted = change === 'insert' ? Buffer.alloc(1 + (byte % 20), byte) : Buffer.alloc(0);
      result = Buffer.concat([result.subarray(0, at), inserted, rest]);
    }
  }
  return result;
}

const answers = fc
  .record({
    statusLine: statusLines,
    kind: fc.constantFrom(...KINDS),
    packaging: packagings,
    oddFields,
    lineEnd: fc.constantFrom('\r\n', '\n', '\r\r\n'),
    changes: mutations,
  })
  .map(({ statusLine, kind, packaging, oddFields: odd, lineEnd, changes }) => {
    const [fields, body] = packaging(image(kind));
    const lines = [statusLine, ...fields, ...odd.map((field) => [field].flat().join(''))];
    const head = Buffer.from(lines.map((line) => line + lineEnd).join('') + lineEnd, 'latin1');
    return mutate(Buffer.concat([head, body]), changes);
  });

/** Feeds a response to the reader in pieces of this size, and ends the connection. */
async function readAll(answer: Buffer, pieceBytes: number, isClean: boolean) {
  const share = { reserved: 0, isComplete: false, opened: 0, released: 0 };
  const { promise, resolve } = Promise.withResolvers<ReadResult>();
  let settled: ReadResult | undefined;
  const reader = createResponseReader(
    {
      maxBytes: MAX_BYTES,
      acceptTruncated: false,
      guard: { countBody: () => {} },
      isConditional: false,
      login: loginWithoutAuth({}),
      openShare: () => {
        share.opened += 1;
        return {
          reserve: (bytes) => {
            share.reserved += bytes;
            return true;
          },
          markComplete: () => {
            share.isComplete = true;
          },
          release: () => {
            share.released += 1;
          },
        };
      },
    },
    (result) => {
      settled ??= result;
      resolve(settled);
    },
  );
  for (let at = 0; at < answer.length && !settled; at += pieceBytes) {
    reader.read(answer.subarray(at, at + pieceBytes));
  }
  if (!settled) reader.end(isClean);
  const result = await promise;
  reader.close();
  return { result, share };
}

it('any response ends in an image that is whole, or in a reason, within its limits', async () => {
  const property = fc.asyncProperty(
    answers,
    fc.constantFrom(1, 16, 100, 65_536),
    fc.boolean(),
    async (answer, pieceBytes, isClean) => {
      const { result, share } = await readAll(answer, pieceBytes, isClean);
      expect(share.reserved).toBeLessThanOrEqual(2 * MAX_BYTES + pieceBytes);
      // Each share is either kept for the image or released.
      expect(share.released > 0 || share.isComplete).toBe(share.opened > 0);
      if (result.outcome === 'read') {
        const { bytes, contentType } = result;
        const scan = createImageScan();
        scan.advance(bytes);
        const whole = { state: 'whole', contentType, endBytes: bytes.length };
        expect(scan.finish(bytes, { acceptTruncated: false })).toEqual(whole);
        expect(bytes.length).toBeLessThanOrEqual(MAX_BYTES);
      } else if (result.outcome === 'failed') {
        expect(result.reason).toMatch(/^(the|this port of the) (camera|chunks|head)/);
        expect(result.reason.length).toBeLessThan(300);
      } else expect(result.outcome).toBe('redirected');
    },
  );
  await fc.assert(property, { numRuns });
});

it('a response is read alike however its bytes arrive', async () => {
  // How much a broken compressed body yields before its fault depends on the pieces.
  const uncompressed = answers.filter(
    (answer) => !/gzip|deflate|br/i.test(answer.toString('latin1')),
  );
  const property = fc.asyncProperty(uncompressed, async (answer) => {
    const [small, large] = await Promise.all(
      [1, 65_536].map((size) => readAll(answer, size, true)),
    );
    expect(small?.result.outcome).toBe(large?.result.outcome);
    if (small?.result.outcome === 'read' && large?.result.outcome === 'read') {
      expect(small.result.bytes.equals(large.result.bytes)).toBe(true);
    }
  });
  await fc.assert(property, { numRuns });
});
