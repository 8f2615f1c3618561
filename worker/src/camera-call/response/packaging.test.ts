import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { call, cameraAt } from '../../test-support/calls.ts';
import { startCamera } from '../../test-support/camera-server.ts';
import {
  callAnsweredWith,
  captured,
  hangUp,
  jpeg,
  OK,
  type Part,
} from '../../test-support/raw-answers.ts';
import { createResponseReader } from './read-response.ts';
import type { ReadResult } from './read-result.ts';

const LENGTH = `Content-Length: ${jpeg.length}\r\n`;
const hex = jpeg.length.toString(16);

describe('an image is taken, as in a browser, from a response with', () => {
  it.each<[string, Part[]]>([
    ['LF alone at the end of every line', [`HTTP/1.1 200 OK\n${LENGTH.trim()}\n\n`, jpeg]],
    ['LF alone after one header', [`${OK}X-Channel: 2\n${LENGTH}\r\n`, jpeg]],
    ['LF alone as the empty line', [`${OK}${LENGTH}\n`, jpeg]],
    [
      'CR CR LF at the end of every line',
      [`HTTP/1.1 200 OK\r\r\n${LENGTH.trim()}\r\r\n\r\r\n`, jpeg],
    ],
    ['empty lines before the status line', [`\r\n\n${OK}${LENGTH}\r\n`, jpeg]],
    ['a status line without a reason', [`HTTP/1.1 200\r\n${LENGTH}\r\n`, jpeg]],
    ['a status line without a version', [`HTTP 200 OK\r\n${LENGTH}\r\n`, jpeg]],
    ['the status line of a media server', [`ICY 200 OK\r\n${LENGTH}\r\n`, jpeg]],
    ['status 203', [`HTTP/1.1 203 Non-Authoritative\r\n${LENGTH}\r\n`, jpeg]],
    ['status 206 and the whole image', [`HTTP/1.1 206 Partial Content\r\n${LENGTH}\r\n`, jpeg]],
    ['a date without a name', [`${OK}Tue, 12 Jun 2012 01:56:34 GMT\r\n${LENGTH}\r\n`, jpeg]],
    ['a header written with =', [`${OK}X-Frame-Options="SAMEORIGIN"\r\n${LENGTH}\r\n`, jpeg]],
    ['a line without anything but a word', [`${OK}nonsense\r\n${LENGTH}\r\n`, jpeg]],
    ['a header without a name', [`${OK}: x\r\n${LENGTH}\r\n`, jpeg]],
    ['a name with a space in it', [`${OK}Cache Control: no-cache\r\n${LENGTH}\r\n`, jpeg]],
    ['a space before the colon', [`${OK}Content-Length : ${jpeg.length}\r\n\r\n`, jpeg]],
    ['no space after the colon', [`${OK}Content-Length:${jpeg.length}\r\n\r\n`, jpeg]],
    ['a continued header', [`${OK}X-Long: a\r\n b: c\r\n${LENGTH}\r\n`, jpeg]],
    ['a control byte in a header', [`${OK}X-Model: a\x01b\r\n${LENGTH}\r\n`, jpeg]],
    ['a NUL in a header', [`${OK}X-Model: a\0b\r\n${LENGTH}\r\n`, jpeg]],
    [
      'bytes beyond ASCII in a header',
      [Buffer.from(`${OK}X: \xe9\xff\r\n${LENGTH}\r\n`, 'latin1'), jpeg],
    ],
    [
      'a large head',
      [`${OK}${`Set-Cookie: ${'x'.repeat(4000)}\r\n`.repeat(12)}${LENGTH}\r\n`, jpeg],
    ],
    ['the same length twice', [`${OK}${LENGTH}${LENGTH}\r\n`, jpeg]],
    [
      'the same length twice in a list',
      [`${OK}Content-Length: ${jpeg.length}, ${jpeg.length}\r\n\r\n`, jpeg],
    ],
    ['two different lengths', [`${OK}${LENGTH}Content-Length: 7\r\n\r\n`, jpeg]],
    ['a length that is not a number', [`${OK}Content-Length: unknown\r\n\r\n`, jpeg]],
    ['a negative length', [`${OK}Content-Length: -1\r\n\r\n`, jpeg]],
    ['a negative length in disguise', [`${OK}Content-Length: 4294967295\r\n\r\n`, jpeg]],
    ['an empty length', [`${OK}Content-Length:\r\n\r\n`, jpeg]],
    ['a length that is too large', [`${OK}Content-Length: ${jpeg.length + 48}\r\n\r\n`, jpeg]],
    ['a length that is too small', [`${OK}Content-Length: ${jpeg.length - 20}\r\n\r\n`, jpeg]],
    ['no length', [`${OK}\r\n`, jpeg]],
    ['one byte after the length', [`${OK}${LENGTH}\r\n`, jpeg, '\0']],
    ['a page after the image', [`${OK}\r\n`, jpeg, '<html></html>']],
    ['a second response', [`${OK}${LENGTH}\r\n`, jpeg, `${OK}${LENGTH}\r\n`]],
    [
      'chunks and a length',
      [
        `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n${hex}\r\n`,
        jpeg,
        '\r\n0\r\n\r\n',
      ],
    ],
    ['Transfer-Encoding: identity', [`${OK}${LENGTH}Transfer-Encoding: identity\r\n\r\n`, jpeg]],
    [
      'Transfer-Encoding: Chunked',
      [`${OK}Transfer-Encoding: Chunked\r\n\r\n${hex}\r\n`, jpeg, '\r\n0\r\n\r\n'],
    ],
    ['no last chunk', [`${OK}Transfer-Encoding: chunked\r\n\r\n${hex}\r\n`, jpeg, '\r\n']],
    [
      'nothing after the bytes of a chunk',
      [
        `${OK}Transfer-Encoding: chunked\r\n\r\n64\r\n`,
        jpeg.subarray(0, 100),
        `${(jpeg.length - 100).toString(16)}\r\n`,
        jpeg.subarray(100),
      ],
    ],
    [
      'spaces around the size of a chunk',
      [`${OK}Transfer-Encoding: chunked\r\n\r\n ${hex}  \r\n`, jpeg, '\r\n0\r\n\r\n'],
    ],
    [
      'zeros before the size of a chunk',
      [`${OK}Transfer-Encoding: chunked\r\n\r\n0000${hex}\r\n`, jpeg, '\r\n0\r\n\r\n'],
    ],
    [
      '0x before the size of a chunk',
      [`${OK}Transfer-Encoding: chunked\r\n\r\n0x${hex}\r\n`, jpeg, '\r\n0\r\n\r\n'],
    ],
    [
      'an upper-case size of a chunk',
      [`${OK}Transfer-Encoding: chunked\r\n\r\n${hex.toUpperCase()}\r\n`, jpeg, '\r\n0\r\n\r\n'],
    ],
    [
      'a chunk extension',
      [`${OK}Transfer-Encoding: chunked\r\n\r\n${hex};a="b"\r\n`, jpeg, '\r\n0\r\n\r\n'],
    ],
    [
      'LF alone between chunks',
      [
        `${OK}Transfer-Encoding: chunked\r\n\r\n64\n`,
        jpeg.subarray(0, 100),
        `\n${(jpeg.length - 100).toString(16)}\n`,
        jpeg.subarray(100),
      ],
    ],
    ['a chunk larger than its bytes', [`${OK}Transfer-Encoding: chunked\r\n\r\nffffff\r\n`, jpeg]],
    [
      'garbage after the last chunk',
      [`${OK}Transfer-Encoding: chunked\r\n\r\n${hex}\r\n`, jpeg, '\r\n0\r\n\r\nxx'],
    ],
    [
      'a Content-Encoding that means nothing',
      [`${OK}${LENGTH}Content-Encoding: UTF-8\r\n\r\n`, jpeg],
    ],
    ['Content-Encoding: none', [`${OK}${LENGTH}Content-Encoding: none\r\n\r\n`, jpeg]],
    ['an empty Content-Encoding', [`${OK}${LENGTH}Content-Encoding:\r\n\r\n`, jpeg]],
    ['Content-Encoding: Identity', [`${OK}${LENGTH}Content-Encoding: Identity\r\n\r\n`, jpeg]],
    [
      'Content-Encoding: gzip on a plain image',
      [`${OK}${LENGTH}Content-Encoding: gzip\r\n\r\n`, jpeg],
    ],
    ['Content-Encoding: br on a plain image', [`${OK}${LENGTH}Content-Encoding: br\r\n\r\n`, jpeg]],
  ])('%s', async (_, parts) => {
    expect(await callAnsweredWith(parts)).toMatchObject(captured);
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('a body that is compressed with %s', async (name, compress) => {
    const body = compress(jpeg);
    const head = `${OK}Content-Encoding: ${name}\r\n`;
    const length = `Content-Length: ${body.length}\r\n`;
    expect(await callAnsweredWith([`${head}${length}\r\n`, body])).toMatchObject(captured);
    expect(await callAnsweredWith([`${head}\r\n`, body], {}, hangUp)).toMatchObject(captured);
  });

  // In pieces of their own, because the image is whole before a decoder has said so.
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('a body that is compressed with %s, whatever follows it', async (name, compress) => {
    const body = compress(jpeg);
    const head = `${OK}Content-Encoding: ${name}\r\n`;
    const sized = (length: number) => `${head}Content-Length: ${length}\r\n\r\n`;
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`;
    await Promise.all(
      [
        [sized(body.length), body, '\r\n'],
        [sized(body.length), Buffer.concat([body, Buffer.from('\r\n')])],
        [sized(body.length - 5), body.subarray(0, -5), body.subarray(-5)],
        [chunked, body, '\r\n0\r\n', 'X-Trailer: 1\r\n\r\n'],
      ].map(async (parts) => expect(await resultOf(parts)).toMatchObject({ outcome: 'read' })),
    );
  });
});

/** Reads a response of which each part arrives by itself, all before a decoder is done. */
function resultOf(parts: readonly Part[]): Promise<ReadResult> {
  const { promise, resolve } = Promise.withResolvers<ReadResult>();
  const share = { reserve: () => true, markComplete: () => {}, release: () => {} };
  const reader = createResponseReader(
    {
      maxBytes: 1024 ** 2,
      acceptTruncated: false,
      isConditional: false,
      openShare: () => share,
      guard: { countBody: () => {} },
      login: { onResponse: () => ({ next: 'read' }) },
    },
    resolve,
  );
  for (const part of parts) reader.read(Buffer.from(part));
  return promise.finally(() => reader.close());
}

it('the frame does not depend on how its bytes arrive', async () => {
  const whole = Buffer.concat([Buffer.from(`${OK}${LENGTH}\r\n`), jpeg, Buffer.alloc(3)]);
  for (const size of [1, 7, 100]) {
    const server = await startCamera(async (socket) => {
      socket.setNoDelay(true);
      for (let at = 0; at < whole.length; at += size) {
        const piece = whole.subarray(at, at + size);
        await new Promise<void>((done) => socket.write(piece, () => setImmediate(done)));
      }
    });
    expect(await call(server, cameraAt(server, { timeoutMs: 20_000 }))).toMatchObject(captured);
  }
});
