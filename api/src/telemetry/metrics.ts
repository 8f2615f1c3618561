import { setTimeout as sleep } from 'node:timers/promises';
import { HEALTHS, type Health } from '@lastframe/shared/cameras/camera-health';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import type { Metrics } from '@lastframe/shared/telemetry/metrics';
import type { UnsentAnswers } from '../answer/unsent-answers.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { CameraList } from '../camera-status/camera-list.ts';
import type { Demand } from '../demand/demand.ts';
import type { FleetStatus } from '../demand/fleet-status.ts';
import type { RefreshQueue } from '../demand/refresh-queue.ts';
import type { FrameWaiters } from '../lookup/frame-waiters.ts';
import type { OpenStreams } from '../streams/open-streams.ts';

/** A scrape waits for the frame store no longer: Prometheus would give up on all that it came for. */
const SCRAPE_WAIT_MS = 100;

// Each gives a collaborator that does the same and is counted, so that the flow knows nothing of metrics.

export function withDemandMetrics(demand: Demand, metrics: Metrics): Demand {
  let raised = 0;
  metrics.read('lastframe_demand_raised_total', () => [{ labels: {}, value: raised }]);
  return {
    ...demand,
    raise: (camera) => {
      raised += 1;
      demand.raise(camera);
    },
  };
}

export function withQueueMetrics(queue: RefreshQueue, metrics: Metrics): RefreshQueue {
  const count = metrics.counter('lastframe_jobs_added_total');
  return {
    ...queue,
    add: async (...args) => {
      try {
        await queue.add(...args);
        count({ outcome: 'added' });
      } catch (error) {
        count({ outcome: 'failed' });
        throw error;
      }
    },
  };
}

/** What is broken off, because the frame was in Redis or the viewer left, is no cold wait. */
export function withWaiterMetrics(
  coldWait: FrameWaiters,
  clock: Pick<Clock, 'monoMs'>,
  metrics: Metrics,
): FrameWaiters {
  const observe = metrics.histogram('lastframe_cold_wait_seconds');
  metrics.read('lastframe_waiters', () => [{ labels: {}, value: coldWait.waiting() }]);
  return {
    ...coldWait,
    wait: (camera, timeoutMs, signal, client) => {
      const beganMonoMs = clock.monoMs();
      const waited = coldWait.wait(camera, timeoutMs, signal, client);
      if (timeoutMs === 0) return waited; // who would not wait
      void waited.then(({ end }) => {
        const seconds = (clock.monoMs() - beganMonoMs) / 1000;
        if (!signal.aborted) observe(seconds, { outcome: end });
      });
      return waited;
    },
  };
}

/** Counts what is heard, and how long it was under way. */
export function createAnnouncementMetrics(
  fleet: Pick<FleetStatus, 'redisNowMs'>,
  metrics: Metrics,
): (announcement: Announcement) => void {
  const count = metrics.counter('lastframe_announcements_heard_total');
  const observeLag = metrics.histogram('lastframe_announcement_lag_seconds');
  return ({ kind, sentAtMs }) => {
    count({ kind });
    const nowMs = fleet.redisNowMs();
    if (sentAtMs === undefined || nowMs === undefined) return;
    // Two estimates of one clock may disagree by a millisecond.
    observeLag(Math.max(0, nowMs - sentAtMs) / 1000, {});
  };
}

export function exposeMemoryMetrics(
  memory: MemoryCache,
  limitBytes: number,
  metrics: Metrics,
): void {
  const show = (
    name: `lastframe_memory_cache_${'bytes' | 'limit_bytes' | 'frames'}`,
    value: () => number,
  ) => metrics.read(name, () => [{ labels: {}, value: value() }]);
  show('lastframe_memory_cache_bytes', () => memory.calculatedSize);
  show('lastframe_memory_cache_limit_bytes', () => limitBytes);
  show('lastframe_memory_cache_frames', () => memory.size);
}

export function withUnsentMetrics(
  metrics: Metrics,
  limitBytes: number,
  create: (onCut: (cause: 'rate' | 'budget') => void) => UnsentAnswers,
): UnsentAnswers {
  const count = metrics.counter('lastframe_answers_cut_total');
  const unsent = create((cause) => count({ cause }));
  metrics.read('lastframe_unsent_bytes', () => [{ labels: {}, value: unsent.heldBytes() }]);
  metrics.read('lastframe_unsent_limit_bytes', () => [{ labels: {}, value: limitBytes }]);
  return unsent;
}

export function exposeFleetMetrics(fleet: Pick<FleetStatus, 'snapshot'>, metrics: Metrics): void {
  metrics.read('lastframe_worker_alive', () => {
    const seen = fleet.snapshot();
    return [{ labels: {}, value: seen && (seen.workerAlive ? 1 : 0) }];
  });
  metrics.read('lastframe_queue_jobs', () => {
    const { waitingJobs, activeJobs } = fleet.snapshot() ?? {};
    return [
      { labels: { state: 'waiting' as const }, value: waitingJobs },
      { labels: { state: 'active' as const }, value: activeJobs },
    ];
  });
}

export function exposeStreamMetrics(
  streams: Pick<OpenStreams, 'count'>,
  limit: number,
  metrics: Metrics,
): void {
  metrics.read('lastframe_streams_open', () => [{ labels: {}, value: streams.count() }]);
  metrics.read('lastframe_streams_limit', () => [{ labels: {}, value: limit }]);
}

/**
 * Read from the frame store at each scrape, so that every process shows the same. A store that is slow
 * delays no scrape: what was last known is shown, and what comes after it at the next one.
 */
export function exposeCameraMetrics(
  cameras: Pick<CameraList, 'countByHealth'>,
  metrics: Metrics,
): void {
  let counts: Record<Health, number> | undefined;
  const read = async () => {
    counts = await cameras.countByHealth();
  };
  metrics.read('lastframe_cameras', async () => {
    await Promise.race([read(), sleep(SCRAPE_WAIT_MS, undefined, { ref: false })]);
    return HEALTHS.map((health) => ({ labels: { health }, value: counts?.[health] }));
  });
}
