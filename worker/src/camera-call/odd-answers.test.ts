import {
  decodeAnnouncement,
  decodeFailure,
  encodeAnnouncement,
  encodeFailure,
} from '@lastframe/shared/messages/announcement';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cameraAt, neverAborted, prepareCameraCall } from '../test-support/calls.ts';
import { startCamera } from '../test-support/camera-server.ts';

const digits = fc.oneof(
  fc.constantFrom(
    '000',
    '099',
    '200',
    '204',
    '304',
    '401',
    '429',
    '503',
    '599',
    '600',
    '999',
    '1e9',
    '-1',
  ),
  fc.integer({ min: 0, max: 2000 }).map(String),
);
const header = fc.tuple(
  fc.constantFrom(
    'Content-Length',
    'Content-Encoding',
    'Retry-After',
    'Date',
    'ETag',
    'Last-Modified',
    'Transfer-Encoding',
    'WWW-Authenticate',
    'Connection',
  ),
  fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom('0', '-1', '1e400', 'chunked', 'close')),
);
const answers = fc
  .tuple(digits, fc.array(header, { maxLength: 4 }), fc.uint8Array({ maxLength: 50 }))
  .map(([status, headers, body]) => {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} x\r\n${lines}\r\n`), body]);
  });

it('the failure of any odd response can be announced, stored and read again', async () => {
  let next = Buffer.alloc(0);
  const server = await startCamera((socket) => socket.end(next));
  const property = fc.asyncProperty(
    fc.oneof(
      answers,
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    ),
    async (bytes) => {
      next = bytes;
      const camera = cameraAt(server, { timeoutMs: 20_000 });
      const prepared = await prepareCameraCall(camera, 20_000, neverAborted);
      if (prepared.outcome !== 'connected') throw new Error('not connected');
      const result = await prepared.call.send(neverAborted);
      expect(result.outcome).not.toBe('captured');
      if (result.outcome !== 'failed') return;
      const failure = { ...result, nextMs: 1 };
      const { status, reason } = result;
      expect(decodeFailure(encodeFailure(failure))).toMatchObject({ status, reason });
      const message = { kind: 'failure', cameraId: camera.cameraId, ...failure } as const;
      expect(decodeAnnouncement(encodeAnnouncement(message))).toMatchObject({ status, reason });
    },
  );
  await fc.assert(property, { numRuns: 200 });
});
