import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  callAnsweredWith,
  captured,
  hangUp,
  jpeg,
  OK,
  type Part,
} from '../../test-support/raw-answers.ts';

const LENGTH = `Content-Length: ${jpeg.length}\r\n`;
const hex = jpeg.length.toString(16);

describe('an MJPEG stream yields its first whole image', () => {
  const stream = (boundary: string) =>
    `HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=${boundary}\r\n\r\n`;
  const part = (delimiter: string, body: Part, ...fields: string[]): Part[] => [
    `${delimiter}\r\n${['Content-Type: image/jpeg', ...fields].join('\r\n')}\r\n\r\n`,
    body,
    '\r\n',
  ];
  const half = jpeg.subarray(0, jpeg.length / 2);
  it.each<[string, Part[]]>([
    ['with lengths', [stream('cam'), ...part('--cam', jpeg, LENGTH.trim())]],
    ['without lengths', [stream('cam'), ...part('--cam', jpeg)]],
    ['whose lengths are wrong', [stream('cam'), ...part('--cam', jpeg, 'Content-Length: 3')]],
    ['whose boundary includes the dashes', [stream('--cam'), ...part('--cam', jpeg)]],
    ['whose boundary is quoted', [stream('"cam"'), ...part('--cam', jpeg)]],
    ['whose boundary is another', [stream('foo'), ...part('--bar', jpeg)]],
    ['whose delimiter has no dashes', [stream('cam'), ...part('cam', jpeg)]],
    ['that begins with an empty line', [stream('cam'), '\r\n', ...part('--cam', jpeg)]],
    ['with LF alone', [stream('cam'), `--cam\nContent-Type: image/jpeg\n\n`, jpeg]],
    [
      'that begins within an image',
      [stream('cam'), ...part('--cam', jpeg.subarray(50)), ...part('--cam', jpeg)],
    ],
    ['whose first image is cut', [stream('cam'), ...part('--cam', half), ...part('--cam', jpeg)]],
    ['whose first part is empty', [stream('cam'), ...part('--cam', ''), ...part('--cam', jpeg)]],
    [
      'whose first part is text',
      [stream('cam'), ...part('--cam', 'starting'), ...part('--cam', jpeg)],
    ],
    [
      'whose length is nonsense',
      [
        `${OK}Content-Type: multipart/x-mixed-replace;boundary=cam\r\nContent-Length: 99999999\r\n\r\n`,
        ...part('--cam', jpeg),
      ],
    ],
    [
      'in chunks',
      [
        `${OK}Content-Type: multipart/x-mixed-replace; boundary=cam\r\nTransfer-Encoding: chunked\r\n\r\n`,
        '5\r\n--cam\r\n1e\r\n\r\nContent-Type: image/jpeg\r\n\r\n',
        `\r\n${hex}\r\n`,
        jpeg,
      ],
    ],
  ])('%s', async (_, parts) => {
    expect(await callAnsweredWith(parts)).toMatchObject(captured);
  });

  it('and is closed then, however much it would send', async () => {
    const pieces = Buffer.concat(part('--cam', jpeg).map((piece) => Buffer.from(piece)));
    const pour = (socket: Socket) => {
      const more = () => {
        while (socket.writable && socket.write(pieces));
      };
      socket.on('drain', more);
      more();
    };
    expect(await callAnsweredWith([stream('cam')], {}, pour)).toMatchObject(captured);
  });

  it('or says that it has none', async () => {
    const parts = Array.from({ length: 100 }, () => part('--cam', half)).flat();
    const result = await callAnsweredWith([stream('cam'), ...parts], {
      maxFrameBytes: 20 * half.length,
    });
    expect(result).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('MJPEG') });
    const closed = await callAnsweredWith([stream('cam'), ...part('--cam', half)], {}, hangUp);
    expect(closed).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('MJPEG') });
  });
});
