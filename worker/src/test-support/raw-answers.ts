import type { Socket } from 'node:net';
import type { Source } from '@lastframe/shared/cameras/source';
import { callOnTime, cameraAt } from './calls.ts';
import { startCamera } from './camera-server.ts';
import { image } from './images.ts';

export type Part = string | Buffer;

export const OK = 'HTTP/1.1 200 OK\r\n';
export const jpeg = image('jpeg');
export const captured = { outcome: 'captured', bytes: jpeg, contentType: 'image/jpeg' };
export const hangUp = (socket: Socket) => void socket.end();

/**
 * Calls a camera that answers with these parts, and leaves the connection open unless `after` closes
 * it: only the bytes say where to end.
 */
export async function callAnsweredWith(
  parts: readonly Part[],
  differences: Partial<Source> = {},
  after: (socket: Socket) => void = () => {},
) {
  const server = await startCamera((socket) => {
    for (const part of parts) socket.write(part);
    after(socket);
  });
  return await callOnTime(server, cameraAt(server, { timeoutMs: 20_000, ...differences }));
}
