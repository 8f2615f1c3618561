import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import type { Step } from '@lastframe/shared/telemetry/steps';
import { NEW_TRACE, type Tracer } from '@lastframe/shared/telemetry/tracer';
import { LRUCache } from 'lru-cache';
import type { FrameReader, ReadCamera } from '../cache/frame-reader.ts';
import type { Demand } from '../demand/demand.ts';
import type { RefreshQueue } from '../demand/refresh-queue.ts';

// Each gives a collaborator that does the same in steps that can be followed, by log lines at `debug`
// and by traces, so that the flow knows nothing of either.

/** What demand does later, on timers, belongs to no request any more. */
export function withDemandTracing(
  demand: Demand,
  wants: PendingRequests,
  tracer: Tracer | undefined,
): Demand {
  if (!tracer) return demand;
  return {
    ...demand,
    raise: (camera) => {
      wants.add(camera.cameraId);
      tracer.apart(() => demand.raise(camera));
    },
  };
}

/** A job belongs to the first request that wanted it; the others are links. */
export function withQueueTracing(
  queue: RefreshQueue,
  wants: PendingRequests,
  step: Step,
  tracer: Tracer | undefined,
): Pick<RefreshQueue, 'add'> {
  return {
    add: (camera, redisNowMs) => {
      const { cameraId } = camera;
      const [parent = NEW_TRACE, ...links] = wants.takeAll(cameraId);
      const jobId = queue.jobIdAt(camera, redisNowMs);
      return step(
        'refresh asked for',
        { kind: 'producer', parent, links, details: { cameraId, jobId } },
        () => queue.add(camera, redisNowMs, tracer?.current()),
      );
    },
  };
}

export function withReaderTracing(reader: FrameReader, step: Step): FrameReader {
  const follow = (read: FrameReader['read']) => (camera: Camera) =>
    step('frame read', { details: { cameraId: camera.cameraId } }, () => read(camera), saidOf);
  return { ...reader, read: follow(reader.read), readAnew: follow(reader.readAnew) };
}

const saidOf = ({ held, failure }: ReadCamera) => ({
  etag: held?.etag,
  failure: failure?.reason,
});

/**
 * What an announcement sets off belongs to the refresh that it tells of. Who wanted a frame when the
 * job was there already is linked here.
 */
export function withAnnouncementTracing(
  heed: (announcement: Announcement) => void,
  wants: PendingRequests,
  step: Step,
): (announcement: Announcement) => void {
  return (announcement) => {
    const { cameraId, kind, trace } = announcement;
    const isEnd = kind === 'frame' || kind === 'unchanged' || kind === 'failure';
    const links = isEnd ? wants.takeAll(cameraId) : [];
    const cause = trace === undefined ? {} : { kind: 'consumer' as const, parent: trace, links };
    void step('news heard', { ...cause, details: { cameraId, news: kind } }, async () =>
      heed(announcement),
    );
  };
}

/** The requests that want a frame of a camera, from raising demand until a job asks for it. */
export interface PendingRequests {
  add(cameraId: string): void;
  /** Their `traceparent`s; from then on nobody is noted. */
  takeAll(cameraId: string): string[];
}

/** One job can serve thousands of requests; a few are enough to find it by. */
const MAX_NOTED = 16;
const MAX_CAMERAS = 10_000;

export function createPendingRequests(
  tracer: Pick<Tracer, 'current'> | undefined,
): PendingRequests {
  const wants = new LRUCache<string, string[]>({ max: MAX_CAMERAS });
  return {
    add: (cameraId) => {
      const here = tracer?.current();
      const noted = wants.get(cameraId) ?? [];
      if (here === undefined || noted.length >= MAX_NOTED || noted.includes(here)) return;
      wants.set(cameraId, [...noted, here]);
    },
    takeAll: (cameraId) => {
      const noted = wants.get(cameraId) ?? [];
      wants.delete(cameraId);
      return noted;
    },
  };
}
