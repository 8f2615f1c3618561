import type { Camera } from '@lastframe/shared/cameras/camera';
import { unlessTooLong } from '@lastframe/shared/http/http-fields';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import type { Log } from '@lastframe/shared/process/log';
import type { Step } from '@lastframe/shared/telemetry/steps';
import { NEW_TRACE, type Tracer } from '@lastframe/shared/telemetry/tracer';
import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { FrameReader, ReadCamera } from '../cache/frame-reader.ts';
import type { Demand } from '../demand/demand.ts';
import type { RefreshQueue } from '../demand/refresh-queue.ts';
import type { Served } from '../fast-path/find-hit.ts';
import type { Wants } from './wants.ts';

// Each gives a collaborator that does the same in steps that can be followed, by log lines at `debug`
// and by traces, so that the flow knows nothing of either.

declare module 'hono' {
  interface ContextVariableMap {
    /** Of the camera that is asked for, once it is known. */
    cameraId: string;
  }
}

const MAX_TRACEPARENT_LENGTH = 128;

/** A viewer's request; its path and query are not told, for they may hold a secret. */
export function followedRequests(step: Step): MiddlewareHandler {
  return async (c, next) => {
    const route = matchedRoutes(c).at(-1)?.path ?? '*';
    const { method } = c.req;
    await step(
      'request',
      {
        kind: 'server',
        spanName: `${method} ${route}`,
        parent: unlessTooLong(c.req.header('traceparent'), MAX_TRACEPARENT_LENGTH) ?? NEW_TRACE,
        details: { method, route },
      },
      next,
      () => ({
        status: c.res.status,
        cameraId: c.get('cameraId'),
        cache: c.res.headers.get('cache-status') ?? undefined,
      }),
    );
  };
}

/** The line of a request that was answered from memory in front of the routes. */
export function hitLog(log: Log): ((served: Served) => void) | undefined {
  if (!log.isLevelEnabled('debug')) return undefined;
  return ({ status, held }) =>
    log.debug({ status, cameraId: held.cameraId, cache: 'front' }, 'request');
}

/** What demand does later, on timers, belongs to no request any more. */
export function followedDemand(demand: Demand, wants: Wants, tracer: Tracer | undefined): Demand {
  if (!tracer) return demand;
  return {
    ...demand,
    raise: (camera) => {
      wants.note(camera.cameraId);
      tracer.apart(() => demand.raise(camera));
    },
  };
}

/** A job belongs to the first request that wanted it; the others are links. */
export function followedQueue(
  queue: RefreshQueue,
  wants: Wants,
  step: Step,
  tracer: Tracer | undefined,
): Pick<RefreshQueue, 'add'> {
  return {
    add: (camera, redisNowMs) => {
      const { cameraId } = camera;
      const [parent = NEW_TRACE, ...links] = wants.take(cameraId);
      const jobId = queue.jobIdAt(camera, redisNowMs);
      return step(
        'refresh asked for',
        { kind: 'producer', parent, links, details: { cameraId, jobId } },
        () => queue.add(camera, redisNowMs, tracer?.current()),
      );
    },
  };
}

export function followedReader(reader: FrameReader, step: Step): FrameReader {
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
export function followedNews(
  heed: (announcement: Announcement) => void,
  wants: Wants,
  step: Step,
): (announcement: Announcement) => void {
  return (announcement) => {
    const { cameraId, kind, trace } = announcement;
    const isEnd = kind === 'frame' || kind === 'unchanged' || kind === 'failure';
    const links = isEnd ? wants.take(cameraId) : [];
    const cause = trace === undefined ? {} : { kind: 'consumer' as const, parent: trace, links };
    void step('news heard', { ...cause, details: { cameraId, news: kind } }, async () =>
      heed(announcement),
    );
  };
}
