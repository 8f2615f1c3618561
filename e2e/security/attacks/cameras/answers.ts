import type { Socket } from 'node:net';
import { padJpeg } from '../../../../slow-server/src/picture/jpeg.ts';
import { image } from '../../../../worker/src/test-support/images.ts';
import { httpResponse } from '../../raw-camera.ts';

const MiB = 1024 ** 2;
const jpeg = image('jpeg');
const ONE_BYTE_CHUNKS = Buffer.from('1\r\nx\r\n'.repeat(200_000));
const INFORMATIONAL_FLOOD = Buffer.from('HTTP/1.1 102 Processing\r\n\r\n'.repeat(50_000));
/** Just below the default maximum frame size. */
const HELD_BODY = Buffer.concat(padJpeg(jpeg, 7.5 * MiB).parts);
const TRUNCATED_BY = 1000;

/** Responses of hostile cameras, by the second part of the path: `/public/large/17`. */
export const RESPONSES: Readonly<Record<string, (socket: Socket) => void>> = {
  small: (socket) => void socket.end(httpResponse(jpeg)),
  large: frameOf(4 * MiB),
  huge: frameOf(8 * MiB - 1024),
  missing: (socket) => void socket.end(httpResponse('', [], '404 Not Found')),
  'status-000': (socket) => void socket.end(httpResponse(jpeg, [], '000 Nothing')),
  'one-byte-chunks': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write(ONE_BYTE_CHUNKS);
  },
  informational: (socket) => void socket.write(INFORMATIONAL_FLOOD),
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
let challenges = 0;

export function sendDigestChallenge(socket: Socket): void {
  challenges += 1;
  const challenge = CHALLENGES[challenges % CHALLENGES.length];
  socket.end(httpResponse('', [`WWW-Authenticate: ${challenge}`], '401 Unauthorized'));
}

/** Returns a camera that sends frames of one size, each with different bytes. */
function frameOf(sizeBytes: number): (socket: Socket) => void {
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
