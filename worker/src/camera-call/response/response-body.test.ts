import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { callAnsweredWith, hangUp, jpeg, OK, type Part } from '../../test-support/raw-answers.ts';

describe('a JPEG without its end marker', () => {
  const open = jpeg.subarray(0, -2);
  const acceptTruncated = true;
  const head = `${OK}Content-Length: ${open.length}\r\n\r\n`;

  it('is rejected unless its source accepts it', async () => {
    expect(await callAnsweredWith([head, open], {}, hangUp)).toMatchObject({ outcome: 'failed' });
    expect(await callAnsweredWith([head, open], { acceptTruncated }, hangUp)).toMatchObject({
      outcome: 'captured',
      bytes: open,
    });
  });

  it('is rejected when its connection broke off', async () => {
    const announced = `${OK}Content-Length: 9999\r\n\r\n`;
    const chunked = `${OK}Transfer-Encoding: chunked\r\n\r\nfff\r\n`;
    for (const start of [announced, chunked]) {
      const result = await callAnsweredWith([start, open], { acceptTruncated }, hangUp);
      expect(result).toMatchObject({ outcome: 'failed', error: 'http_response_incomplete' });
    }
  });
});

describe('the reason of a failure says', () => {
  it.each<[string, Part[], RegExp]>([
    [
      'how much arrived',
      [`${OK}Content-Length: 5000\r\n\r\n`, jpeg.subarray(0, 200)],
      /closed .* after 200 of 5000 bytes/,
    ],
    ['that the port speaks RTSP', ['RTSP/1.0 400 Bad Request\r\n\r\n'], /RTSP.*go2rtc/],
    ['that the port speaks https', [Buffer.from('15030100020228', 'hex')], /https:/],
    ['that the port is not an HTTP server', ['SSH-2.0-OpenSSH_9.6\r\n'], /not valid HTTP/],
    ['that the chunks are wrong', [`${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`], /chunks/],
    [
      'that the compression is broken',
      [
        `${OK}Content-Encoding: gzip\r\n\r\n`,
        Buffer.from('1f8b0800ffff', 'hex'),
        Buffer.alloc(200, 7),
      ],
      /cannot be decompressed/,
    ],
  ])('%s', async (_, parts, reason) => {
    const result = await callAnsweredWith(parts, {}, hangUp);
    expect(result).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(reason) });
  });

  it('what had not arrived by the deadline', async () => {
    const reasonAfter = async (...parts: Part[]) => {
      const result = await callAnsweredWith(parts, { timeoutMs: 1500 });
      return 'reason' in result ? result.reason : result.outcome;
    };
    expect(await reasonAfter()).toBe('the camera did not respond within 1500 ms');
    expect(await reasonAfter('HTTP/1.1 200')).toMatch(/did not finish the head/);
    expect(await reasonAfter(`${OK}\r\n`, jpeg.subarray(0, 200))).toMatch(/did not send a whole/);
  });

  it('which setting limits the size', async () => {
    const result = await callAnsweredWith([`${OK}\r\n`, jpeg], { maxFrameBytes: 100 });
    expect(result).toMatchObject({ reason: expect.stringMatching(/100 bytes.*maxFrameSize/) });
  });
});

it('a compressed body never becomes larger than an image may be', async () => {
  const bomb = gzipSync(Buffer.concat([jpeg.subarray(0, 200), Buffer.alloc(50_000_000)]));
  const result = await callAnsweredWith([`${OK}Content-Encoding: gzip\r\n\r\n`, bomb], {}, hangUp);
  expect(result).toMatchObject({ outcome: 'failed', status: 502 });
});
