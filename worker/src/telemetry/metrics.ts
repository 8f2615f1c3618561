import type { RulesNow } from '@lastframe/shared/cameras/rules';
import { permitLifeMs } from '@lastframe/shared/cameras/spacing';
import type { Clock } from '@lastframe/shared/process/clock';
import type { LabelsOf } from '@lastframe/shared/telemetry/metric-definitions';
import { type Metrics, sourceLabel } from '@lastframe/shared/telemetry/metrics';
import type { Worker } from 'bullmq';
import type { CameraPlaces } from '../admission/camera-places.ts';
import type { FramesMemory } from '../admission/frames-memory.ts';
import type { Capture, PreparedCall } from '../camera-call/capture.ts';
import type { PrepareCall } from '../camera-call/prepare-call.ts';
import type { Permits } from '../permit/permits.ts';
import type { RedisMonitor } from '../permit/redis-monitor.ts';
import type { RefreshOutcome } from '../refresh/refresh.ts';
import type { RefreshResults } from '../refresh/refresh-results.ts';

// Each gives a collaborator that does the same and is counted, so that the flow knows nothing of metrics.

type JobOutcome = LabelsOf<'lastframe_jobs_total'>['outcome'];

/** Counts every job once: by the outcome of its refresh, or as an error when it had none. */
export function createJobMetrics(metrics: Metrics): {
  ended(outcome: RefreshOutcome): void;
  listen(worker: Pick<Worker, 'on'>): void;
} {
  const count = metrics.counter('lastframe_jobs_total');
  const countStalled = metrics.counter('lastframe_jobs_stalled_total');
  return {
    ended: (outcome) => count({ outcome: outcome.split(':')[0] as JobOutcome }),
    listen: (worker) => {
      worker.on('stalled', () => countStalled({}));
      // A failed camera fails its job too, and was counted by then.
      worker.on('failed', (_, { message }) => {
        if (!message.startsWith('failed')) count({ outcome: 'error' });
      });
    },
  };
}

/** @returns permits for a job that was asked for at this moment of Redis's time */
export function withPermitMetrics(
  permits: Pick<Permits, 'take'>,
  redisNowMs: () => number | undefined,
  metrics: Metrics,
): (askedAtMs: number) => Pick<Permits, 'take'> {
  const count = metrics.counter('lastframe_permits_total');
  const observeWait = metrics.histogram('lastframe_permit_wait_seconds');
  return (askedAtMs) => ({
    take: async (camera) => {
      const taken = await permits.take(camera);
      count({ outcome: taken.outcome === 'denied' ? taken.reason : taken.outcome });
      const nowMs = redisNowMs();
      if (taken.outcome === 'granted' && nowMs !== undefined) {
        observeWait(Math.max(0, nowMs - askedAtMs) / 1000, {});
      }
      return taken;
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
  metrics.read('lastframe_upstream_calls_open', () => [{ labels: {}, value: open }]);
  const counted = (call: PreparedCall, source: string): PreparedCall => ({
    ...call,
    // Sent before it returns, as the call itself does.
    send: (signal) => {
      const answered = call.send(signal);
      const beganMonoMs = clock.monoMs();
      open += 1;
      void answered.then((capture) => {
        open -= 1;
        count({ source, outcome: callOutcome(capture) });
        observeDuration((clock.monoMs() - beganMonoMs) / 1000, { source });
        if (capture.outcome === 'captured') observeSize(capture.bytes.length, { source });
      });
      return answered;
    },
  });
  return async (camera, ...args) => {
    const source = sourceLabel(camera.source);
    const prepared = await prepareCall(camera, ...args);
    if (prepared.outcome === 'connected') {
      return { ...prepared, call: counted(prepared.call, source) };
    }
    const refused = prepared.outcome === 'failed' && prepared.status === 403;
    const outcome = prepared.outcome === 'aborted' ? 'aborted' : 'unreachable';
    count({ source, outcome: refused ? 'refused' : outcome });
    return prepared;
  };
}

function callOutcome(capture: Capture): LabelsOf<'lastframe_upstream_calls_total'>['outcome'] {
  if (capture.outcome === 'no room') return 'no_room';
  return capture.outcome === 'failed' && capture.status === 504 ? 'timeout' : capture.outcome;
}

/** Counts the new cameras that get no place. */
export function withAdmissionMetrics(places: CameraPlaces, metrics: Metrics): CameraPlaces {
  const count = metrics.counter('lastframe_new_cameras_refused_total');
  return {
    ...places,
    admit: async (camera) => {
      const admission = await places.admit(camera);
      if (admission.outcome === 'refused') {
        count({ source: sourceLabel(camera.source), bound: admission.reason });
      }
      return admission;
    },
  };
}

export function exposeFramesMemoryMetrics(
  memory: Pick<FramesMemory, 'usedShare'>,
  metrics: Metrics,
): void {
  metrics.read('lastframe_frames_redis_used_ratio', () => [
    { labels: {}, value: memory.usedShare() },
  ]);
}

/** Counts what the fleet is told. */
export function withResultMetrics(reporter: RefreshResults, metrics: Metrics): RefreshResults {
  const count = metrics.counter('lastframe_announcements_sent_total');
  const countRefused = metrics.counter('lastframe_frames_refused_total');
  const countStored = (stored: Awaited<ReturnType<RefreshResults['frame' | 'renewed']>>) => {
    if (stored === 'frame' || stored === 'unchanged') count({ kind: stored });
  };
  return {
    ...reporter,
    started: (...args) => {
      count({ kind: 'started' });
      reporter.started(...args);
    },
    frame: async (...args) => {
      const stored = await reporter.frame(...args);
      countStored(stored);
      const isNew = stored === 'no room';
      if (isNew || stored === 'no room to grow')
        countRefused({ frame: isNew ? 'first' : 'larger' });
      return stored;
    },
    renewed: async (...args) => {
      const stored = await reporter.renewed(...args);
      countStored(stored);
      return stored;
    },
    failed: (...args) => {
      count({ kind: 'failure' });
      return reporter.failed(...args);
    },
    refused: (...args) => {
      count({ kind: 'failure' });
      return reporter.refused(...args);
    },
    wait: (...args) => {
      count({ kind: 'wait' });
      return reporter.wait(...args);
    },
  };
}

/** Sources that share a label share its series: the longest hold-off counts. */
export function exposeRedisMetrics(
  watch: Pick<RedisMonitor, 'whyUnfit' | 'holdOffMs'>,
  { rules, replicaLagMs }: { rules: RulesNow; replicaLagMs: number },
  metrics: Metrics,
): void {
  metrics.read('lastframe_queue_redis_fit', () => [
    { labels: {}, value: watch.whyUnfit() === undefined ? 1 : 0 },
  ]);
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
