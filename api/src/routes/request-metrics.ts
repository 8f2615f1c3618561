import { lateAfterMs } from '@lastframe/shared/cameras/camera-health';
import type { Clock } from '@lastframe/shared/process/clock';
import type { LabelsOf } from '@lastframe/shared/telemetry/metric-definitions';
import type { Metrics } from '@lastframe/shared/telemetry/metrics';
import type { HeldFrame } from '../cache/held-frame.ts';
import type { Origin } from '../lookup/frame-lookup.ts';

/** An answer that a viewer got; with `held`, the frame that it was made of. */
export interface Answered {
  status: number;
  held?: Pick<HeldFrame, 'startedMonoMs' | 'capturedMonoMs' | 'camera'> | undefined;
  /** In memory unless it says otherwise. */
  origin?: Origin | undefined;
}

export type OnAnswered = (answered: Answered) => void;

type Outcome = LabelsOf<'lastframe_requests_total'>['outcome'];

declare module 'hono' {
  interface ContextVariableMap {
    /** The frame that the answer is made of, for who counts answers. */
    answered: Omit<Answered, 'status'>;
  }
}

/**
 * Counts the answers. Called for every hit, so it only adds to numbers, which are made into series
 * when somebody scrapes them.
 */
export function createRequestCount(clock: Pick<Clock, 'monoMs'>, metrics: Metrics): OnAnswered {
  const counts = new Map<Outcome, number[]>();
  const observeAge = metrics.histogram('lastframe_hit_age_seconds');
  const none = {};
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
  // There from the start, so that a rate sees the first one; others come as they are met.
  for (const outcome of ['fresh', 'stale', 'late', 'waited'] as const) count(outcome, 200, 0);
  for (const status of [502, 503, 504]) count('failed', status, 0);

  return (answered) => {
    const { status, held } = answered;
    const nowMonoMs = clock.monoMs();
    const outcome = outcomeOf(answered, nowMonoMs);
    count(outcome, status);
    if (!held || outcome === 'waited') return;
    observeAge(Math.max(0, nowMonoMs - held.capturedMonoMs) / 1000, none);
  };
}

/** What a request got, in one of few words. */
export function outcomeOf({ status, held, origin }: Answered, nowMonoMs: number): Outcome {
  if (held && status < 400) {
    if (origin === 'stored' || origin === 'collapsed') return 'waited';
    const { startedMonoMs: startedAtMs, capturedMonoMs: capturedAtMs } = held;
    const { source } = held.camera;
    if (nowMonoMs - startedAtMs < source.intervalMs) return 'fresh';
    const isLate = nowMonoMs - capturedAtMs >= lateAfterMs({ startedAtMs, capturedAtMs }, source);
    return isLate ? 'late' : 'stale';
  }
  if (status >= 500) return 'failed';
  return status >= 400 ? 'refused' : 'other';
}
