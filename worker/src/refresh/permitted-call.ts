import type { Camera } from '@lastframe/shared/cameras/camera';
import type { RulesNow } from '@lastframe/shared/cameras/rules';
import type { CameraPlaces } from '../admission/camera-places.ts';
import type { PreparedCall } from '../camera-call/capture.ts';
import type { ConditionalCalls } from '../camera-call/conditional-calls.ts';
import type { PrepareCall, PrepareResult } from '../camera-call/prepare-call.ts';
import type { RedirectTarget } from '../camera-call/redirect.ts';
import {
  type CallCondition,
  type CallResult,
  type Captured,
  callResultOf,
  isBlameless,
} from './call-result.ts';
import {
  backoffOf,
  type CallPermits,
  type EndCallDeps,
  type EndNow,
  endAborted,
  finishCall,
  monotonicSince,
  NOTHING_SENT,
  reportBlameless,
  reportFailure,
  reportLate,
  restFromNow,
} from './end-call.ts';
import type { CallOutcome } from './outcome.ts';
import type { RedirectTargets } from './redirect-targets.ts';
import { renewKnownFrame, storeCapture } from './store-capture.ts';
import { type KnownCadence, loadCadence, updateCadence } from './update-cadence.ts';

export interface PermittedCallDeps extends EndCallDeps {
  prepareCall: PrepareCall;
  places: Pick<CameraPlaces, 'keepPlace' | 'releasePlace'>;
  conditionalCalls: ConditionalCalls;
  redirects: Pick<RedirectTargets, 'remember' | 'forget'>;
  rules: RulesNow;
  /** Redis's time, undefined while unknown. */
  redisNowMs: () => number | undefined;
  /** Aborts calls in flight when the process closes. */
  closing: AbortSignal;
  /** The api process that requested the job. */
  askedBy?: string | undefined;
  /** How long the job waited in the queue. */
  queuedMs?: number | undefined;
}

/** Allows for the time between the last clock check and the send. */
const SEND_MARGIN_MS = 50;

/** Spends a permit on one call: connect → send → capture → store → announce. */
export async function callWithPermit(
  permits: CallPermits,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const { camera, elapsedMs } = permits.permit;
  const called = calledCamera(permits);
  const withinMs = called.source.startAllowanceMs - SEND_MARGIN_MS;
  // Read while connecting; on renewal the store checks that it is still the last one.
  const known =
    isKnownUrl(permits) && deps.conditionalCalls.mayUse(camera)
      ? deps.results.readKnownFrame(camera)
      : Promise.resolve(undefined);
  const learned = loadCadence(camera, deps);
  const validators = known.then((frame) => deps.conditionalCalls.validatorsFor(camera, frame));
  const leftMs = withinMs - elapsedMs();
  const prepared = await deps.prepareCall(called, leftMs, deps.closing, validators);
  if (prepared.outcome !== 'connected') return await endUnsent(permits, prepared, deps);
  const { call } = prepared;
  const before = { known: await known, sent: await validators, cadence: await learned };
  if (deps.closing.aborted) {
    call.destroy();
    return await endAborted(permits, deps);
  }
  if (elapsedMs() > withinMs) {
    call.destroy();
    // The camera connected within its deadline, or that would have ended the attempt.
    return await reportLate(permits, NOTHING_SENT, deps);
  }
  return await sendCall(permits, call, before, deps).finally(() => call.release());
}

/** A target that is used once has no validators of its own, and those of others say nothing about it. */
function isKnownUrl({ target }: CallPermits): boolean {
  return target === undefined || target.redirect.isPermanent;
}

/** Returns the camera that is called: the target of a redirect, or the camera itself. */
function calledCamera({ permit, target }: CallPermits): Camera {
  return target?.camera ?? permit.camera;
}

async function endUnsent(
  permits: CallPermits,
  prepared: Exclude<PrepareResult, { outcome: 'connected' }>,
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  if (prepared.outcome === 'late') return await reportLate(permits, NOTHING_SENT, deps);
  if (prepared.outcome === 'aborted') return await endAborted(permits, deps);
  // A camera that once moved would be called at an address that is dead, for a day.
  if (permits.target) await deps.redirects.forget(permits.permit.camera);
  const restMs = restFromNow(deps);
  return await reportFailure(
    permits,
    prepared,
    (permit) => ({ verdict: 'fail', restMs: restMs(permit) }),
    deps,
  );
}

async function sendCall(
  permits: CallPermits,
  call: PreparedCall,
  before: CallCondition & { cadence: KnownCadence },
  deps: PermittedCallDeps,
): Promise<CallOutcome> {
  const { camera, elapsedMs } = permits.permit;
  const pendingCapture = call.send(deps.closing);
  const sinceSentMs = monotonicSince(deps.clock);
  const restMs = restFromNow(deps);
  if (elapsedMs() > calledCamera(permits).source.startAllowanceMs) {
    call.destroy();
    await pendingCapture;
    return await reportLate(permits, restMs, deps);
  }
  deps.results.announceStart(camera, deps);
  const capture = await pendingCapture;
  const sinceCapturedMs = monotonicSince(deps.clock);
  const receivedAtMs = deps.redisNowMs();
  const redirect = permits.target?.redirect;
  const result = callResultOf(capture, camera, { ...before, redirect }, deps);
  if (result.outcome === 'late') return await reportLate(permits, restMs, deps);
  await updateRedirect(camera, result, redirect, deps);
  if (isBlameless(result)) return await reportBlameless(permits, result, restMs, deps);
  if (result.outcome === 'failed') {
    const minBackoffMs = backoffOf(result, camera);
    const end: EndNow = (permit) => ({ verdict: 'fail', restMs: restMs(permit), minBackoffMs });
    return await reportFailure(permits, result, end, deps);
  }
  const end: EndNow = (permit) => ({ verdict: 'ok', restMs: restMs(permit) });
  const callMs = sinceSentMs() - sinceCapturedMs();
  const cadence = updateCadence(camera, before, result, { receivedAtMs, callMs });
  // Not awaited: at worst the camera asks for a new place.
  if (cadence) void deps.places.keepPlace(camera, cadence.freshForMs);
  const nextMs = await finishCall(permits, end, deps);
  const times = { sinceSentMs, sinceCapturedMs, nextMs, cadence };
  return result.outcome === 'unchanged'
    ? await renewKnownFrame(camera, before.known, times, deps)
    : await storeCapture(camera, withOwnValidators(result, permits), times, deps);
}

/** Without validators, the camera's next call fetches the whole image. */
function withOwnValidators({ validators, ...capture }: Captured, permits: CallPermits): Captured {
  return isKnownUrl(permits) && validators ? { ...capture, validators } : capture;
}

/** Remembers where the next call goes. What a response redirected to once is called once. */
async function updateRedirect(
  camera: Camera,
  result: CallResult,
  redirect: RedirectTarget | undefined,
  { redirects }: PermittedCallDeps,
): Promise<void> {
  if (result.outcome === 'redirected') return await redirects.remember(camera, result.target);
  if (redirect && (result.outcome === 'failed' || !redirect.isPermanent)) {
    await redirects.forget(camera);
  }
}
