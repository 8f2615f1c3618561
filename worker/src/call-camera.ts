import type { Socket } from 'node:net';
import type { Camera } from '@lastframe/shared/camera';
import { AddressRefusedError } from './address-guard.ts';
import { type Authorizer, createAuthorizer } from './authorization.ts';
import type { ByteBudget } from './byte-budget.ts';
import { describeCallError, type PreparedCall, prepareCall } from './capture.ts';
import { connectToCamera } from './connect.ts';

export type Prepared =
  | { outcome: 'connected'; call: PreparedCall }
  | { outcome: 'failed'; status: 403 | 502 | 504; reason: string }
  | { outcome: 'aborted' };

/** Resolves, checks and connects within the time given; nothing is sent. Never throws. */
export type PrepareCall = (
  camera: Camera,
  withinMs: number,
  signal: AbortSignal,
) => Promise<Prepared>;

/** All calls that it prepares share one budget of bytes, and what cameras said of who may ask. */
export function createCameraCaller(
  budget: ByteBudget,
  authorizer: Authorizer = createAuthorizer(),
): PrepareCall {
  return (camera, withinMs, signal) =>
    prepareCameraCall(camera, withinMs, signal, budget, authorizer);
}

async function prepareCameraCall(
  camera: Camera,
  withinMs: number,
  signal: AbortSignal,
  budget: ByteBudget,
  authorizer: Authorizer,
): Promise<Prepared> {
  const late = AbortSignal.timeout(Math.max(0, Math.floor(withinMs)));
  try {
    const socket = await connectToCamera(camera, AbortSignal.any([signal, late]));
    return { outcome: 'connected', call: await prepareCallOn(socket, camera, budget, authorizer) };
  } catch (error) {
    if (signal.aborted) return { outcome: 'aborted' };
    if (error instanceof AddressRefusedError) {
      const reason = "the camera's address is not allowed; see ALLOWED_NETWORKS";
      return { outcome: 'failed', status: 403, reason };
    }
    if (late.aborted) {
      const reason = `no connection to the camera within ${Math.round(withinMs)} ms`;
      return { outcome: 'failed', status: 504, reason };
    }
    return { outcome: 'failed', status: 502, reason: describeCallError(error) };
  }
}

/** A request that can't be made, as by a header that HTTP doesn't allow, must not leave its socket. */
async function prepareCallOn(
  socket: Socket,
  camera: Camera,
  budget: ByteBudget,
  authorizer: Authorizer,
): Promise<PreparedCall> {
  try {
    return await prepareCall(socket, camera, budget, authorizer);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
