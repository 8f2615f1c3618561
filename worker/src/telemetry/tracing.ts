import type { Camera } from '@lastframe/shared/cameras/camera';
import type { RefreshJob } from '@lastframe/shared/messages/refresh-job';
import type { Step } from '@lastframe/shared/telemetry/steps';
import { type Details, NEW_TRACE, type Tracer } from '@lastframe/shared/telemetry/tracer';
import type { Capture, PreparedCall } from '../camera-call/capture.ts';
import type { PrepareCall } from '../camera-call/prepare-call.ts';
import type { Permits, Take } from '../permit/permits.ts';
import type { RefreshOutcome } from '../refresh/refresh.ts';
import type { RefreshResults } from '../refresh/refresh-results.ts';

// Each gives a collaborator that does the same in steps that can be followed, by log lines at `debug`
// and by traces, so that the flow knows nothing of either.

/** A job belongs to the request that asked for it. */
export function withRefreshTracing(
  refresh: (job: RefreshJob) => Promise<RefreshOutcome>,
  step: Step,
): (job: RefreshJob, jobId: string | undefined) => Promise<RefreshOutcome> {
  return (job, jobId) =>
    step(
      'refresh',
      {
        kind: 'consumer',
        parent: job.trace ?? NEW_TRACE,
        details: { cameraId: job.cameraId, jobId },
      },
      () => refresh(job),
      (outcome) => ({ outcome }),
    );
}

export function withPermitTracing(
  permits: Pick<Permits, 'take'>,
  step: Step,
): Pick<Permits, 'take'> {
  return { take: (camera) => step('permit', of(camera), () => permits.take(camera), saidOfTake) };
}

function saidOfTake(taken: Take): Details {
  const { outcome } = taken;
  if (outcome === 'granted') return { outcome };
  return outcome === 'unknown'
    ? { outcome, reason: taken.reason }
    : { outcome, reason: taken.reason, waitMs: Math.ceil(taken.waitMs) };
}

/** The camera is told nothing of it: no header of ours goes with the call. */
export function withCallTracing(prepareCall: PrepareCall, step: Step): PrepareCall {
  return async (camera, ...args) => {
    const prepared = await step(
      'connect',
      { kind: 'client', ...of(camera) },
      () => prepareCall(camera, ...args),
      (made) => ({ outcome: made.outcome, reason: 'reason' in made ? made.reason : undefined }),
    );
    if (prepared.outcome !== 'connected') return prepared;
    return { ...prepared, call: followedCall(prepared.call, camera, step) };
  };
}

function followedCall(call: PreparedCall, camera: Camera, step: Step): PreparedCall {
  return {
    ...call,
    // Sent before it returns, as the call itself does.
    send: (signal) =>
      step('call', { kind: 'client', ...of(camera) }, () => call.send(signal), saidOfCapture),
  };
}

function saidOfCapture(capture: Capture): Details {
  const { outcome } = capture;
  if (outcome === 'failed') {
    return { outcome, reason: capture.reason, receivedStatus: capture.receivedStatus };
  }
  return outcome === 'captured' ? { outcome, bytes: capture.bytes.length } : { outcome };
}

/** News say which step they tell of, so that what they set off in the api processes belongs to it. */
export function withResultTracing(
  reporter: RefreshResults,
  step: Step,
  tracer: Tracer | undefined,
): RefreshResults {
  const trace = () => ({ trace: tracer?.current() });
  const stored = (outcome: string) => ({ stored: outcome });
  return {
    ...reporter,
    frame: (camera, frameNow) =>
      step(
        'store',
        of(camera),
        () => {
          const here = trace();
          return reporter.frame(camera, () => ({ ...frameNow(), ...here }));
        },
        stored,
      ),
    renewed: (camera, known, timesNow) =>
      step(
        'store',
        of(camera),
        () => {
          const here = trace();
          return reporter.renewed(camera, known, () => ({ ...timesNow(), ...here }));
        },
        stored,
      ),
    failed: (camera, failure) =>
      step(
        'store',
        of(camera),
        () => reporter.failed(camera, { ...failure, ...trace() }),
        () => ({ stored: 'failure' }),
      ),
  };
}

const of = ({ cameraId }: Camera) => ({ details: { cameraId } });
