import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { padJpeg } from '../../../../slow-server/src/picture/jpeg.ts';
import { image } from '../../../../worker/src/test-support/images.ts';
import { httpResponse } from '../../raw-camera.ts';

const MiB = 1024 ** 2;
const jpeg = image('jpeg');
const ONE_BYTE_CHUNKS = Buffer.from('1\r\nx\r\n'.repeat(200_000));
const INFORMATIONAL_FLOOD = Buffer.from('HTTP/1.1 102 Processing\r\n\r\n'.repeat(50_000));
const EARLY_FLOOD = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'.repeat(20_000));
/** Just below the default maximum frame size. */
const HELD_BODY = Buffer.concat(padJpeg(jpeg, 7.5 * MiB).parts);
const TRUNCATED_BY = 1000;

type Send = (socket: Socket) => void;

/** What servers do to a connection before they receive a request. */
export const GREETINGS: readonly Send[] = [
  (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n'),
  (socket) => socket.write('220 mail.example.com ESMTP ready\r\n'),
  (socket) => socket.write('220-Welcome\r\n220 FTP server ready.\r\n'),
  (socket) => socket.write(Buffer.from('4a0000000a382e302e3000', 'hex')), // MySQL
  (socket) => socket.write(randomBytes(2000)),
  (socket) => socket.write(httpResponse(jpeg)),
  (socket) => socket.write(EARLY_FLOOD),
  // Node can only reset plain connections.
  (socket) => (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy()),
  (socket) => socket.end(),
];

/** Responses of hostile cameras, by the second part of the path: `/public/large/17`. */
export const RESPONSES: Readonly<Record<string, Send>> = {
  small: (socket) => socket.end(httpResponse(jpeg)),
  large: frameOf(4 * MiB),
  huge: frameOf(8 * MiB - 1024),
  missing: (socket) => socket.end(httpResponse('', [], '404 Not Found')),
  'status-000': (socket) => socket.end(httpResponse(jpeg, [], '000 Nothing')),
  'one-byte-chunks': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write(ONE_BYTE_CHUNKS);
  },
  informational: (socket) => socket.write(INFORMATIONAL_FLOOD),
  // Nearly all of a large body at once, and the rest a byte at a time until the deadline.
  held: (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${HELD_BODY.length}\r\n\r\n`);
    socket.write(HELD_BODY.subarray(0, -TRUNCATED_BY));
    const drip = setInterval(() => socket.write('x'), 500);
    socket.on('close', () => clearInterval(drip));
  },
};

/** Challenges that are slow to parse for backtracking patterns. */
const CHALLENGES = [
  `Digest ${'a'.repeat(8000)}!`,
  `Digest ${'-'.repeat(8000)}`,
  `Digest ${'a-'.repeat(4000)}!`,
  `Digest ${'a'.repeat(4000)}="${'a'.repeat(4000)}`,
];
let turn = 0;

export function sendDigestChallenge(socket: Socket): void {
  turn = (turn + 1) % CHALLENGES.length;
  socket.end(httpResponse('', [`WWW-Authenticate: ${CHALLENGES[turn]}`], '401 Unauthorized'));
}

/** Returns a camera that sends frames of one size, each with different bytes. */
function frameOf(sizeBytes: number): Send {
  const bytes = Buffer.concat(padJpeg(jpeg, sizeBytes).parts);
  // Within the padding, which decoders skip.
  const at = bytes.indexOf('....');
  const head = `HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  let number = 0;
  return (socket) => {
    number += 1;
    bytes.write(String(number).padStart(12, '0'), at, 'latin1');
    socket.write(head);
    socket.end(bytes);
  };
}
