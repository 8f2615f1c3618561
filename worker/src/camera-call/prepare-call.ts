import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Validators } from '@lastframe/shared/frames/frame-store';
import type { ByteBudget } from './byte-budget.ts';
import { explainCallError } from './call-error.ts';
import { type PreparedCall, prepareRequest } from './capture.ts';
import { AddressRefusedError } from './connect/address-guard.ts';
import { assertOpen, type Connection, connectToCamera } from './connect/connect.ts';
import { measureSteps } from './connect/connect-steps.ts';
import { isOwnLateness, type Lateness } from './lateness.ts';
import { type Authorizer, createAuthorizer } from './login/authorizer.ts';

export type PrepareResult =
  | { outcome: 'connected'; call: PreparedCall }
  | { outcome: 'failed'; status: 403 | 502 | 504; reason: string; error?: string }
  /** This process was too slow, not the camera. */
  | { outcome: 'late' }
  | { outcome: 'aborted' };

/** Resolves, checks and connects within the given time; sends nothing. Never throws. */
export type PrepareCall = (
  camera: Camera,
  withinMs: number,
  signal: AbortSignal,
  /** Read while connecting; must never reject. */
  validators?: Promise<Validators | undefined>,
) => Promise<PrepareResult>;

interface CallerDeps {
  budget: ByteBudget;
  /** Returns the fleet's name in `Via`. */
  pseudonym: () => string | undefined;
  authorizer: Authorizer;
  lateness: Pick<Lateness, 'since'>;
}

/** Creates a `PrepareCall` whose calls share one byte budget and what is known about logins. */
export function createPrepareCall(
  budget: ByteBudget,
  pseudonym: CallerDeps['pseudonym'],
  lateness: CallerDeps['lateness'],
  authorizer = createAuthorizer(),
): PrepareCall {
  const deps = { budget, pseudonym, lateness, authorizer };
  return (camera, withinMs, signal, validators) =>
    prepareCameraCall(deps, camera, withinMs, signal, validators);
}

async function prepareCameraCall(
  deps: CallerDeps,
  camera: Camera,
  withinMs: number,
  signal: AbortSignal,
  validators: Promise<Validators | undefined> | undefined,
): Promise<PrepareResult> {
  const lateMs = deps.lateness.since();
  const steps = measureSteps();
  const deadline = startDeadline(withinMs, signal);
  try {
    const connection = await connectToCamera(camera, deadline.signal, steps);
    const call = await prepareCallOn(connection, camera, validators, deps);
    return { outcome: 'connected', call };
  } catch (error) {
    if (signal.aborted) return { outcome: 'aborted' };
    if (error instanceof AddressRefusedError) return ADDRESS_REFUSED;
    if (!deadline.isOver()) {
      return { outcome: 'failed', status: 502, ...explainCallError(error, camera.source.tls) };
    }
    const { startAllowanceMs } = camera.source;
    // The permit may have come late too, which left the camera little time.
    const ownMs = lateMs() + startAllowanceMs - withinMs;
    if (isOwnLateness(ownMs, startAllowanceMs)) return { outcome: 'late' };
    return { outcome: 'failed', status: 504, ...steps.explainTimeout(withinMs) };
  } finally {
    deadline.clear();
  }
}

const ADDRESS_REFUSED: PrepareResult = {
  outcome: 'failed',
  status: 403,
  reason: "the camera's address is not allowed; see ALLOWED_NETWORKS",
  error: 'destination_ip_prohibited',
};

interface Deadline {
  /** Aborts at the deadline, and with the given signal. */
  signal: AbortSignal;
  isOver(): boolean;
  clear(): void;
}

/** Not `AbortSignal.timeout`: it would still fire long after the connection is made, at a cost. */
function startDeadline(withinMs: number, signal: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  let isOver = false;
  const end = () => {
    isOver = true;
    controller.abort();
  };
  const timer = setTimeout(end, Math.max(0, Math.floor(withinMs)));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return {
    signal: controller.signal,
    isOver: () => isOver,
    clear: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}

/** Closes the socket if the request cannot be made, for example with an invalid header. */
async function prepareCallOn(
  connection: Connection,
  camera: Camera,
  validators: Promise<Validators | undefined> | undefined,
  { budget, pseudonym, authorizer }: CallerDeps,
): Promise<PreparedCall> {
  const { socket } = connection;
  try {
    const headers = { via: pseudonym(), validators: await validators };
    // If the camera has hung up meanwhile, a request would wait for its deadline.
    assertOpen(socket);
    return prepareRequest(connection, camera, budget, authorizer, headers);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
