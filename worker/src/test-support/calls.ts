import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import { createByteBudget } from '../camera-call/byte-budget.ts';
import type { Capture } from '../camera-call/capture.ts';
import { createPrepareCall, type PrepareResult } from '../camera-call/prepare-call.ts';
import type { CameraServer } from './camera-server.ts';
import { testCamera, testSource } from './cameras.ts';

/** A process that is never late. */
export const punctual = { since: () => () => 0 };

export const prepareCameraCall = createPrepareCall(
  createByteBudget(64 * 1024 ** 2),
  () => undefined,
  punctual,
);

export const neverAborted = new AbortController().signal;

export function cameraAt(
  server: Pick<CameraServer, 'port'>,
  differences: Partial<Source> = {},
  path = '/a?b=c',
): Camera {
  const source = testSource({ timeoutMs: 5000, ...differences });
  return testCamera(`http://127.0.0.1:${server.port}${path}`, source);
}

/** Makes a whole call, after which no connection may be left. */
export async function call(
  server: Pick<CameraServer, 'port' | 'allClosed'>,
  camera = cameraAt(server),
  signal = neverAborted,
): Promise<Capture | PrepareResult> {
  const prepared = await prepareCameraCall(camera, 4000, signal);
  const result = prepared.outcome === 'connected' ? await prepared.call.send(signal) : prepared;
  if (prepared.outcome === 'connected') prepared.call.release();
  await server.allClosed();
  return result;
}

/** Makes a whole call that a busy machine does not end: one that is late itself calls again. */
export async function callOnTime(
  ...args: Parameters<typeof call>
): Promise<Awaited<ReturnType<typeof call>>> {
  const result = await call(...args);
  return result.outcome === 'late' ? await callOnTime(...args) : result;
}
