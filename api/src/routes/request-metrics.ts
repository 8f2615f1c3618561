import { lateAfterMs } from '@lastframe/shared/cameras/camera-health';
import type { Clock } from '@lastframe/shared/process/clock';
import type { LabelsOf } from '@lastframe/shared/telemetry/metric-definitions';
import type { Metrics } from '@lastframe/shared/telemetry/metrics';
import { freshTimeOf, type HeldFrame } from '../cache/held-frame.ts';
import type { FrameOrigin } from '../lookup/frame-lookup.ts';

/** A response to a client; `held` is the frame in it. */
export interface ResponseInfo {
  status: number;
  held?: Pick<HeldFrame, 'startedMonoMs' | 'capturedMonoMs' | 'freshForMs' | 'camera'> | undefined;
  /** Not set: from memory. */
  origin?: FrameOrigin | undefined;
}

export type OnResponse = (answered: ResponseInfo) => void;

type Outcome = LabelsOf<'lastframe_requests_total'>['outcome'];

declare module 'hono' {
  interface ContextVariableMap {
    /** The frame in the response, for metrics. */
    answered: Omit<ResponseInfo, 'status'>;
  }
}

/**
 * Counts responses. Called for every hit, so it only adds to numbers; a scrape turns them into
 * series.
 */
export function createResponseMetrics(clock: Pick<Clock, 'monoMs'>, metrics: Metrics): OnResponse {
  const counts = new Map<Outcome, number[]>();
  const observeAge = metrics.histogram('lastframe_hit_age_seconds');
  const noLabels = {};
  metrics.read('lastframe_requests_total', () =>
    [...counts].flatMap(([outcome, byStatus]) =>
      Object.entries(byStatus).map(([status, value]) => ({ labels: { outcome, status }, value })),
    ),
  );
  const count = (outcome: Outcome, status: number, by = 1) => {
    const byStatus = counts.get(outcome) ?? [];
    counts.set(outcome, byStatus);
    byStatus[status] = (byStatus[status] ?? 0) + by;
  };
  // These exist from the start, so that a rate sees the first one; others appear when they occur.
  for (const outcome of ['fresh', 'stale', 'late', 'waited'] as const) count(outcome, 200, 0);
  for (const status of [502, 503, 504]) count('failed', status, 0);

  return (answered) => {
    const { status, held } = answered;
    const nowMonoMs = clock.monoMs();
    const outcome = outcomeOf(answered, nowMonoMs);
    count(outcome, status);
    if (!held || outcome === 'waited') return;
    observeAge(Math.max(0, nowMonoMs - held.capturedMonoMs) / 1000, noLabels);
  };
}

/** Returns what a request got, in one word. */
export function outcomeOf({ status, held, origin }: ResponseInfo, nowMonoMs: number): Outcome {
  if (held && status < 400) {
    if (origin === 'stored' || origin === 'collapsed') return 'waited';
    const { startedMonoMs, capturedMonoMs, freshForMs } = held;
    const { source } = held.camera;
    if (nowMonoMs - startedMonoMs < freshTimeOf(held)) return 'fresh';
    const callMs = capturedMonoMs - startedMonoMs;
    const isLate = nowMonoMs - capturedMonoMs >= lateAfterMs(callMs, source, freshForMs);
    return isLate ? 'late' : 'stale';
  }
  if (status >= 500) return 'failed';
  return status >= 400 ? 'refused' : 'other';
}
