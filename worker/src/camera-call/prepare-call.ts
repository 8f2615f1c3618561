import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Validators } from '@lastframe/shared/frames/frame-store';
import { AddressRefusedError } from './address-guard.ts';
import { type Authorizer, createAuthorizer } from './authorization.ts';
import type { ByteBudget } from './byte-budget.ts';
import { explainCallError } from './call-error.ts';
import { type PreparedCall, prepareRequest } from './capture.ts';
import { assertUsable, type Connection, connectToCamera } from './connect.ts';

export type Prepared =
  | { outcome: 'connected'; call: PreparedCall }
  | { outcome: 'failed'; status: 403 | 502 | 504; reason: string; error?: string }
  | { outcome: 'aborted' };

/** Resolves, checks and connects within the time given; nothing is sent. Never throws. */
export type PrepareCall = (
  camera: Camera,
  withinMs: number,
  signal: AbortSignal,
  /** Read while the connection is made; it never rejects. */
  validators?: Promise<Validators | undefined>,
) => Promise<Prepared>;

/** All calls that it prepares share one budget of bytes, and what cameras said of who may ask. */
export function createPrepareCall(
  budget: ByteBudget,
  pseudonym: () => string | undefined = () => undefined,
  authorizer: Authorizer = createAuthorizer(),
): PrepareCall {
  return (camera, withinMs, signal, validators) =>
    prepareCameraCall(camera, withinMs, signal, { budget, pseudonym, authorizer, validators });
}

interface CallerDeps {
  budget: ByteBudget;
  /** The fleet's name in `Via`. */
  pseudonym: () => string | undefined;
  authorizer: Authorizer;
  validators: Promise<Validators | undefined> | undefined;
}

async function prepareCameraCall(
  camera: Camera,
  withinMs: number,
  signal: AbortSignal,
  deps: CallerDeps,
): Promise<Prepared> {
  const ending = new AbortController();
  const end = () => ending.abort(signal.reason);
  let isLate = false;
  // Not `AbortSignal.timeout`: that goes off long after the connection is made, at a price.
  const deadline = setTimeout(
    () => {
      isLate = true;
      ending.abort();
    },
    Math.max(0, Math.floor(withinMs)),
  );
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    const connection = await connectToCamera(camera, ending.signal);
    return { outcome: 'connected', call: await prepareCallOn(connection, camera, deps) };
  } catch (error) {
    if (signal.aborted) return { outcome: 'aborted' };
    if (error instanceof AddressRefusedError) {
      const reason = "the camera's address is not allowed; see ALLOWED_NETWORKS";
      return { outcome: 'failed', status: 403, reason, error: 'destination_ip_prohibited' };
    }
    if (isLate) {
      const reason = `no connection to the camera within ${Math.round(withinMs)} ms`;
      return { outcome: 'failed', status: 504, reason, error: 'connection_timeout' };
    }
    return { outcome: 'failed', status: 502, ...explainCallError(error) };
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', end);
  }
}

/** A request that can't be made, as by a header that HTTP doesn't allow, must not leave its socket. */
async function prepareCallOn(
  connection: Connection,
  camera: Camera,
  { budget, pseudonym, authorizer, validators }: CallerDeps,
): Promise<PreparedCall> {
  const { socket } = connection;
  try {
    const headers = { via: pseudonym(), validators: await validators };
    // Meanwhile the camera may have hung up, and a request made now would wait for its deadline.
    assertUsable(socket);
    return await prepareRequest(connection, camera, budget, authorizer, headers);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
