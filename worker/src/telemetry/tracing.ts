import type { Camera } from '@lastframe/shared/cameras/camera';
import type { RefreshJob } from '@lastframe/shared/messages/refresh-job';
import type { Step } from '@lastframe/shared/telemetry/steps';
import { type Details, NEW_TRACE, type Tracer } from '@lastframe/shared/telemetry/tracer';
import type { Capture, PreparedCall } from '../camera-call/capture.ts';
import type { PrepareCall } from '../camera-call/prepare-call.ts';
import type { Permits, TakeResult } from '../permit/permits.ts';
import type { RefreshOutcome } from '../refresh/outcome.ts';
import type { RefreshResults } from '../refresh/refresh-results.ts';
import type { RefreshWorkerDeps } from '../refresh/refresh-worker.ts';

// Each wraps a part and traces its steps, in log lines at `debug` and in spans, which keeps the
// data flow free of both.

/** Traces a job as part of the request that raised it. */
export function withRefreshTracing(
  refresh: (job: RefreshJob, onStarted: () => void) => Promise<RefreshOutcome>,
  step: Step,
): RefreshWorkerDeps['refresh'] {
  return (job, jobId, onStarted) =>
    step(
      'refresh',
      {
        kind: 'consumer',
        parent: job.trace ?? NEW_TRACE,
        details: { cameraId: job.cameraId, jobId },
      },
      () => refresh(job, onStarted),
      ({ text }) => ({ outcome: text }),
    );
}

export function withPermitTracing(
  permits: Pick<Permits, 'take'>,
  step: Step,
): Pick<Permits, 'take'> {
  return {
    take: (camera, options) =>
      step('permit', cameraDetails(camera), () => permits.take(camera, options), takeDetails),
  };
}

function takeDetails(take: TakeResult): Details {
  const { outcome } = take;
  if (outcome === 'granted') return { outcome };
  return outcome === 'unknown'
    ? { outcome, reason: take.reason }
    : { outcome, reason: take.reason, waitMs: Math.ceil(take.waitMs) };
}

/** Traces a call without sending the camera any trace headers. */
export function withCallTracing(prepareCall: PrepareCall, step: Step): PrepareCall {
  return async (camera, ...args) => {
    const prepared = await step(
      'connect',
      { kind: 'client', ...cameraDetails(camera) },
      () => prepareCall(camera, ...args),
      (made) => ({ outcome: made.outcome, reason: 'reason' in made ? made.reason : undefined }),
    );
    if (prepared.outcome !== 'connected') return prepared;
    return { ...prepared, call: tracedCall(prepared.call, camera, step) };
  };
}

function tracedCall(call: PreparedCall, camera: Camera, step: Step): PreparedCall {
  return {
    ...call,
    // Sends before it returns, as the call itself does.
    send: (signal) =>
      step(
        'call',
        { kind: 'client', ...cameraDetails(camera) },
        () => call.send(signal),
        captureDetails,
      ),
  };
}

function captureDetails(capture: Capture): Details {
  const { outcome } = capture;
  if (outcome === 'failed') {
    return { outcome, reason: capture.reason, receivedStatus: capture.receivedStatus };
  }
  return outcome === 'captured' ? { outcome, bytes: capture.bytes.length } : { outcome };
}

/** Adds the current step to announcements, so that their effects in the apis belong to it. */
export function withResultTracing(
  results: RefreshResults,
  step: Step,
  tracer: Tracer | undefined,
): RefreshResults {
  const trace = () => ({ trace: tracer?.currentTraceparent() });
  const storing = <T extends string>(camera: Camera, store: () => Promise<T>) =>
    step('store', cameraDetails(camera), store, (stored) => ({ stored }));
  return {
    ...results,
    storeFrame: (camera, frameNow) =>
      storing(camera, () => {
        const current = trace();
        return results.storeFrame(camera, () => ({ ...frameNow(), ...current }));
      }),
    renewFrame: (camera, known, timesNow) =>
      storing(camera, () => {
        const current = trace();
        return results.renewFrame(camera, known, () => ({ ...timesNow(), ...current }));
      }),
    storeFailure: (camera, failure) =>
      step(
        'store',
        cameraDetails(camera),
        () => results.storeFailure(camera, { ...failure, ...trace() }),
        () => ({ stored: 'failure' }),
      ),
  };
}

const cameraDetails = ({ cameraId }: Camera) => ({ details: { cameraId } });
