import { setTimeout as sleep } from 'node:timers/promises';
import { HEALTHS, type Health } from '@lastframe/shared/cameras/camera-health';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import type { Clock } from '@lastframe/shared/process/clock';
import type { Metrics } from '@lastframe/shared/telemetry/metrics';
import type { UnsentResponses } from '../answer/unsent-responses.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { CameraList } from '../camera-status/camera-list.ts';
import type { Demand } from '../demand/demand.ts';
import type { FleetStatus } from '../demand/fleet-status.ts';
import type { JobLine } from '../demand/job-line.ts';
import type { RefreshQueue } from '../demand/refresh-queue.ts';
import type { FrameWaiters } from '../lookup/frame-waiters.ts';
import type { OpenStreams } from '../streams/open-streams.ts';

/** A scrape waits no longer for Redis, or Prometheus would give up on the whole scrape. */
const SCRAPE_WAIT_MS = 100;

// Each wraps a part and records metrics, which keeps the data flow free of them.

export function withDemandMetrics(demand: Demand, metrics: Metrics): Demand {
  let raised = 0;
  metrics.readValue('lastframe_demand_raised_total', () => raised);
  return {
    ...demand,
    raise: (camera) => {
      raised += 1;
      demand.raise(camera);
    },
  };
}

export function exposeLineMetrics(
  line: Pick<JobLine, 'behindMs' | 'size'>,
  metrics: Metrics,
): void {
  metrics.readValue('lastframe_behind_seconds', () => line.behindMs() / 1000);
  metrics.read('lastframe_cameras_in_line', () => [
    { labels: { call: 'refresh' as const }, value: line.size('refresh') },
    { labels: { call: 'first' as const }, value: line.size('first call') },
  ]);
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

/** Does not count aborted waits: the frame was in Redis, or the client left. */
export function withWaiterMetrics(
  waiters: FrameWaiters,
  clock: Pick<Clock, 'monoMs'>,
  metrics: Metrics,
): FrameWaiters {
  const observe = metrics.histogram('lastframe_cold_wait_seconds');
  metrics.readValue('lastframe_waiters', () => waiters.waiting());
  return {
    ...waiters,
    wait: (camera, timeoutMs, signal, client) => {
      const beganMonoMs = clock.monoMs();
      const waitEnd = waiters.wait(camera, timeoutMs, signal, client);
      if (timeoutMs === 0) return waitEnd; // the client does not wait
      void waitEnd.then(({ end }) => {
        const seconds = (clock.monoMs() - beganMonoMs) / 1000;
        if (!signal.aborted) observe(seconds, { outcome: end });
      });
      return waitEnd;
    },
  };
}

/** Counts announcements and records their delays. */
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
  metrics.readValue('lastframe_memory_cache_bytes', () => memory.calculatedSize);
  metrics.readValue('lastframe_memory_cache_limit_bytes', () => limitBytes);
  metrics.readValue('lastframe_memory_cache_frames', () => memory.size);
}

export function withUnsentMetrics(
  metrics: Metrics,
  limitBytes: number,
  create: (onCut: (cause: 'rate' | 'budget') => void) => UnsentResponses,
): UnsentResponses {
  const count = metrics.counter('lastframe_answers_cut_total');
  const unsent = create((cause) => count({ cause }));
  metrics.readValue('lastframe_unsent_bytes', () => unsent.heldBytes());
  metrics.readValue('lastframe_unsent_limit_bytes', () => limitBytes);
  return unsent;
}

export function exposeFleetMetrics(fleet: Pick<FleetStatus, 'snapshot'>, metrics: Metrics): void {
  metrics.readValue('lastframe_worker_alive', () => {
    const snapshot = fleet.snapshot();
    return snapshot && Number(snapshot.workerAlive);
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
  metrics.readValue('lastframe_streams_open', () => streams.count());
  metrics.readValue('lastframe_streams_limit', () => limit);
}

/**
 * Reads the counts from Redis at each scrape, so that every process shows the same. A slow Redis
 * does not delay a scrape: it then shows the last known counts, and the next one the late ones.
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
