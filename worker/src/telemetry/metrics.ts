import type { RulesNow } from '@lastframe/shared/cameras/rules';
import { permitLifeMs } from '@lastframe/shared/cameras/spacing';
import type { Clock } from '@lastframe/shared/process/clock';
import type { LabelsOf } from '@lastframe/shared/telemetry/metric-definitions';
import { type Metrics, sourceLabel } from '@lastframe/shared/telemetry/metrics';
import type { Worker } from 'bullmq';
import type { CameraPlaces } from '../admission/camera-places.ts';
import type { RedisMemory } from '../admission/redis-memory.ts';
import type { Capture, PreparedCall } from '../camera-call/capture.ts';
import type { PrepareCall } from '../camera-call/prepare-call.ts';
import type { Permits } from '../permit/permits.ts';
import type { RedisMonitor } from '../permit/redis-monitor.ts';
import type { JobIntake } from '../refresh/job-intake.ts';
import { FailedRefreshError, type RefreshOutcome } from '../refresh/outcome.ts';
import type { RefreshResults } from '../refresh/refresh-results.ts';

// Each wraps a part and records metrics, which keeps the data flow free of them.

/** Counts every job once: by the outcome of its refresh, or as an error when it had none. */
export function createJobMetrics(metrics: Metrics): {
  ended(outcome: RefreshOutcome): void;
  listen(worker: Pick<Worker, 'on'>): void;
} {
  const count = metrics.counter('lastframe_jobs_total');
  const countStalled = metrics.counter('lastframe_jobs_stalled_total');
  return {
    ended: ({ kind }) => count({ outcome: kind }),
    listen: (worker) => {
      worker.on('stalled', () => countStalled({}));
      // A failed camera fails its job too, and is already counted.
      worker.on('failed', (_, error) => {
        if (!(error instanceof FailedRefreshError)) count({ outcome: 'error' });
      });
    },
  };
}

export function exposeIntakeMetrics(
  intake: Pick<JobIntake, 'startMs' | 'whyOverloaded'>,
  metrics: Metrics,
): void {
  metrics.readValue('lastframe_job_start_seconds', () => intake.startMs() / 1000);
  metrics.readValue('lastframe_worker_overloaded', () => (intake.whyOverloaded() ? 1 : 0));
}

/** @returns a function that returns permits for a job, given the Redis time of its request */
export function withPermitMetrics(
  permits: Pick<Permits, 'take'>,
  redisNowMs: () => number | undefined,
  metrics: Metrics,
): (askedAtMs: number) => Pick<Permits, 'take'> {
  const count = metrics.counter('lastframe_permits_total');
  const observeWait = metrics.histogram('lastframe_permit_wait_seconds');
  return (askedAtMs) => ({
    take: async (...args) => {
      const result = await permits.take(...args);
      count({ outcome: result.outcome === 'denied' ? result.reason : result.outcome });
      const nowMs = redisNowMs();
      if (result.outcome === 'granted' && nowMs !== undefined) {
        observeWait(Math.max(0, nowMs - askedAtMs) / 1000, {});
      }
      return result;
    },
  });
}

export function withCallMetrics(
  prepareCall: PrepareCall,
  clock: Pick<Clock, 'monoMs'>,
  metrics: Metrics,
): PrepareCall {
  const count = metrics.counter('lastframe_upstream_calls_total');
  const observeDuration = metrics.histogram('lastframe_upstream_call_seconds');
  const observeSize = metrics.histogram('lastframe_upstream_frame_bytes');
  let open = 0;
  metrics.readValue('lastframe_upstream_calls_open', () => open);
  const withMeasurements = (call: PreparedCall, source: string): PreparedCall => ({
    ...call,
    // Sends before it returns, as the call itself does.
    send: (signal) => {
      const pendingCapture = call.send(signal);
      const startMonoMs = clock.monoMs();
      open += 1;
      void pendingCapture.then((capture) => {
        open -= 1;
        count({ source, outcome: callOutcome(capture) });
        observeDuration((clock.monoMs() - startMonoMs) / 1000, { source });
        if (capture.outcome === 'captured') observeSize(capture.bytes.length, { source });
      });
      return pendingCapture;
    },
  });
  return async (camera, ...args) => {
    const source = sourceLabel(camera.source);
    const prepared = await prepareCall(camera, ...args);
    if (prepared.outcome === 'connected') {
      return { ...prepared, call: withMeasurements(prepared.call, source) };
    }
    const isRefused = prepared.outcome === 'failed' && prepared.status === 403;
    const outcome = prepared.outcome === 'failed' ? 'unreachable' : prepared.outcome;
    count({ source, outcome: isRefused ? 'refused' : outcome });
    return prepared;
  };
}

function callOutcome(capture: Capture): LabelsOf<'lastframe_upstream_calls_total'>['outcome'] {
  if (capture.outcome === 'no room') return 'no_room';
  return capture.outcome === 'failed' && capture.status === 504 ? 'timeout' : capture.outcome;
}

/** Counts new cameras that are rejected. */
export function withAdmissionMetrics(places: CameraPlaces, metrics: Metrics): CameraPlaces {
  const count = metrics.counter('lastframe_new_cameras_refused_total');
  return {
    ...places,
    admit: async (camera) => {
      const admission = await places.admit(camera);
      if (admission.outcome === 'rejected') {
        count({ source: sourceLabel(camera.source), bound: admission.reason });
      }
      return admission;
    },
  };
}

export function exposeRedisMemoryMetrics(
  memory: Pick<RedisMemory, 'usedShare'>,
  metrics: Metrics,
): void {
  metrics.readValue('lastframe_frames_redis_used_ratio', () => memory.usedShare());
}

/** Counts announcements and rejected frames. */
export function withResultMetrics(results: RefreshResults, metrics: Metrics): RefreshResults {
  const count = metrics.counter('lastframe_announcements_sent_total');
  const countRefused = metrics.counter('lastframe_frames_refused_total');
  const countStored = (
    stored: Awaited<ReturnType<RefreshResults['storeFrame' | 'renewFrame']>>,
  ) => {
    if (stored === 'frame' || stored === 'unchanged') count({ kind: stored });
  };
  type Kind = LabelsOf<'lastframe_announcements_sent_total'>['kind'];
  const counted =
    <Args extends unknown[], T>(kind: Kind, send: (...args: Args) => T) =>
    (...args: Args) => {
      count({ kind });
      return send(...args);
    };
  return {
    announceStart: counted('started', results.announceStart),
    storeFrame: async (...args) => {
      const stored = await results.storeFrame(...args);
      countStored(stored);
      const isNew = stored === 'no room';
      if (isNew || stored === 'no room to grow')
        countRefused({ frame: isNew ? 'first' : 'larger' });
      return stored;
    },
    renewFrame: async (...args) => {
      const stored = await results.renewFrame(...args);
      countStored(stored);
      return stored;
    },
    readKnownFrame: results.readKnownFrame,
    readCadence: results.readCadence,
    storeFailure: counted('failure', results.storeFailure),
    storeRejection: counted('failure', results.storeRejection),
    announceWait: counted('wait', results.announceWait),
  };
}

/** Exposes Redis's fitness and, per source label, the longest hold-off. */
export function exposeRedisMetrics(
  watch: Pick<RedisMonitor, 'whyUnfit' | 'holdOffMs'>,
  { rules, replicaLagMs }: { rules: RulesNow; replicaLagMs: number },
  metrics: Metrics,
): void {
  metrics.readValue('lastframe_queue_redis_fit', () => (watch.whyUnfit() === undefined ? 1 : 0));
  metrics.read('lastframe_hold_off_seconds', () => {
    const leftMs = new Map<string, number>();
    for (const source of rules().sources) {
      const label = sourceLabel(source);
      const ms = watch.holdOffMs(permitLifeMs(source), replicaLagMs);
      leftMs.set(label, Math.max(leftMs.get(label) ?? 0, ms));
    }
    return [...leftMs].map(([source, ms]) => ({ labels: { source }, value: ms / 1000 }));
  });
}
