import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import type { Step } from '@lastframe/shared/telemetry/steps';
import { NEW_TRACE, type Tracer } from '@lastframe/shared/telemetry/tracer';
import { LRUCache } from 'lru-cache';
import type { FrameReader, ReadCamera } from '../cache/frame-reader.ts';
import type { Demand } from '../demand/demand.ts';
import type { RefreshQueue } from '../demand/refresh-queue.ts';

// Each wraps a part in steps for traces and `debug` log lines, which keeps the data flow free of
// them.

/** Detaches demand from its request: what it does later, on timers, belongs to none. */
export function withDemandTracing(
  demand: Demand,
  pending: PendingRequests,
  tracer: Tracer | undefined,
): Demand {
  if (!tracer) return demand;
  return {
    ...demand,
    raise: (camera) => {
      pending.add(camera.cameraId);
      tracer.withoutSpan(() => demand.raise(camera));
    },
  };
}

/** A job belongs to the first request that needed it; the others are linked. */
export function withQueueTracing(
  queue: RefreshQueue,
  pending: PendingRequests,
  step: Step,
  tracer: Tracer | undefined,
): Pick<RefreshQueue, 'add'> {
  return {
    add: (camera, redisNowMs, about) => {
      const { cameraId } = camera;
      const [parent = NEW_TRACE, ...links] = pending.takeAll(cameraId);
      const jobId = queue.jobIdAt(camera, redisNowMs);
      return step(
        'refresh requested',
        { kind: 'producer', parent, links, details: { cameraId, jobId } },
        () => queue.add(camera, redisNowMs, { ...about, trace: tracer?.currentTraceparent() }),
      );
    },
  };
}

export function withReaderTracing(reader: FrameReader, step: Step): FrameReader {
  const inStep = (read: FrameReader['read']) => (camera: Camera) =>
    step('frame read', { details: { cameraId: camera.cameraId } }, () => read(camera), detailsOf);
  return { ...reader, read: inStep(reader.read), readFromNow: inStep(reader.readFromNow) };
}

const detailsOf = ({ held, failure }: ReadCamera) => ({
  etag: held?.etag,
  failure: failure?.reason,
});

/**
 * What an announcement causes belongs to the refresh that it reports. Requests that came when its
 * job already existed are linked here.
 */
export function withAnnouncementTracing(
  onAnnouncement: (announcement: Announcement) => void,
  pending: PendingRequests,
  step: Step,
): (announcement: Announcement) => void {
  return (announcement) => {
    const { cameraId, kind, trace } = announcement;
    const isEnd = kind === 'frame' || kind === 'unchanged' || kind === 'failure';
    const links = isEnd ? pending.takeAll(cameraId) : [];
    const cause = trace === undefined ? {} : { kind: 'consumer' as const, parent: trace, links };
    void step('announcement received', { ...cause, details: { cameraId, news: kind } }, async () =>
      onAnnouncement(announcement),
    );
  };
}

/** The requests for a frame of a camera, from raising demand until a job is added for it. */
export interface PendingRequests {
  add(cameraId: string): void;
  /** Returns their `traceparent`s and forgets them. */
  takeAll(cameraId: string): string[];
}

/** One job can serve thousands of requests; a few links are enough to find it. */
const MAX_LINKS = 16;
const MAX_CAMERAS = 10_000;

export function createPendingRequests(
  tracer: Pick<Tracer, 'currentTraceparent'> | undefined,
): PendingRequests {
  const byCamera = new LRUCache<string, string[]>({ max: MAX_CAMERAS });
  return {
    add: (cameraId) => {
      const current = tracer?.currentTraceparent();
      const parents = byCamera.get(cameraId) ?? [];
      if (current === undefined || parents.length >= MAX_LINKS || parents.includes(current)) return;
      byCamera.set(cameraId, [...parents, current]);
    },
    takeAll: (cameraId) => {
      const parents = byCamera.get(cameraId) ?? [];
      byCamera.delete(cameraId);
      return parents;
    },
  };
}
