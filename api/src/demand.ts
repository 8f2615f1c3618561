import type { Announcement } from '@lastframe/shared/announcement';
import type { Camera } from '@lastframe/shared/camera';
import type { Clock } from '@lastframe/shared/clock';
import { messageOf } from '@lastframe/shared/errors';
import { freshnessOf } from '@lastframe/shared/frame';
import type { Log } from '@lastframe/shared/log';
import { bucketMsOf } from '@lastframe/shared/refresh-job';
import type { FleetWatch } from './fleet-watch.ts';
import type { FrameReader } from './frame-reader.ts';
import type { MemoryCache } from './memory-cache.ts';
import type { RefreshQueue } from './refresh-queue.ts';
import type { Viewers } from './viewers.ts';

/**
 * Turns demand into refresh jobs, never more often than it can help and never losing any: while a
 * camera is wanted here, a job is asked for again after every bucket, whatever became of the last
 * job, its reply or its announcement.
 */
export interface Demand {
  /** Somebody found the camera's frame stale or missing. */
  raise(camera: Camera): void;
  heed(announcement: Announcement): void;
  /** Announcements may have been missed: look again at every camera that is wanted. */
  recheck(): void;
  /** Until the fleet may be asked for this camera again. */
  waitMsOf(cameraId: string): number;
  close(): void;
}

export interface DemandDeps {
  clock: Clock;
  memory: MemoryCache;
  reader: FrameReader;
  viewers: Viewers;
  fleet: FleetWatch;
  queue: RefreshQueue;
  random: () => number;
  log: Log;
}

interface Wanted {
  camera: Camera;
  /** A request found it stale since the last frame or failure. */
  asked: boolean;
  notBeforeMonoMs: number;
  /** Jobs asked for without any news since: the news may have been lost, so the store is read. */
  jobsSinceNews: number;
  timer: NodeJS.Timeout | undefined;
  isAsking: boolean;
}

const CLOSED_RETRY_MS = 1000;
const MAX_TOLD_WAIT_MS = 60_000;

export function createDemand(deps: DemandDeps): Demand {
  const { clock } = deps;
  const all = new Map<string, Wanted>();
  let closed = false;

  const ask = async (wanted: Wanted) => {
    clearTimeout(wanted.timer);
    wanted.timer = undefined;
    if (closed || wanted.isAsking) return;
    wanted.isAsking = true;
    const dueMonoMs = await nextAsk(wanted, deps);
    wanted.isAsking = false;
    if (dueMonoMs === undefined || closed) all.delete(wanted.camera.cameraId);
    else arm(wanted, dueMonoMs);
  };
  const arm = (wanted: Wanted, dueMonoMs: number) => {
    clearTimeout(wanted.timer);
    const delayMs = Math.max(0, Math.ceil(dueMonoMs - clock.monoMs()));
    wanted.timer = setTimeout(() => void ask(wanted), Math.min(delayMs, MAX_TOLD_WAIT_MS));
  };

  return {
    raise: (camera) => {
      if (closed) return;
      const wanted = all.get(camera.cameraId) ?? newWanted(camera);
      all.set(camera.cameraId, wanted);
      wanted.asked = true;
      if (wanted.timer === undefined) void ask(wanted);
    },
    heed: (announcement) => {
      const wanted = all.get(announcement.cameraId);
      if (!wanted) return;
      heed(wanted, announcement, deps);
      if (!wanted.isAsking) arm(wanted, wanted.notBeforeMonoMs);
    },
    recheck: () => {
      for (const wanted of all.values()) if (!wanted.isAsking) void ask(wanted);
    },
    waitMsOf: (cameraId) => Math.max(0, (all.get(cameraId)?.notBeforeMonoMs ?? 0) - clock.monoMs()),
    close: () => {
      closed = true;
      for (const { timer } of all.values()) clearTimeout(timer);
      all.clear();
    },
  };
}

function newWanted(camera: Camera): Wanted {
  const never = Number.NEGATIVE_INFINITY;
  return {
    camera,
    asked: true,
    notBeforeMonoMs: never,
    jobsSinceNews: 0,
    timer: undefined,
    isAsking: false,
  };
}

/** Asks for a refresh if it is time; gives when to look again, undefined when nobody wants it. */
async function nextAsk(wanted: Wanted, deps: DemandDeps): Promise<number | undefined> {
  const { clock, viewers, fleet, memory } = deps;
  const { cameraId, source } = wanted.camera;
  const nowMonoMs = clock.monoMs();
  if (nowMonoMs < wanted.notBeforeMonoMs) return wanted.notBeforeMonoMs;
  if (!wanted.asked && !viewers.isPresent(cameraId)) return undefined;
  const held = memory.peek(cameraId);
  if (held && !held.unsure && freshnessOf(nowMonoMs - held.startedMonoMs, source) === 'fresh') {
    wanted.asked = false;
    return held.startedMonoMs + source.intervalMs;
  }
  const redisNowMs = fleet.redisNowMs();
  if (fleet.closedBecause() !== undefined || redisNowMs === undefined) {
    return nowMonoMs + CLOSED_RETRY_MS;
  }
  if (held?.unsure || wanted.jobsSinceNews > 0) {
    const dueMonoMs = await dueByTheStore(wanted, deps);
    if (dueMonoMs !== undefined) return dueMonoMs;
  }
  return await addJob(wanted, redisNowMs, deps);
}

/** A frame whose announcement was lost: when it is due again, undefined when the store has none newer. */
async function dueByTheStore(wanted: Wanted, { reader }: DemandDeps): Promise<number | undefined> {
  try {
    const { held, isNewer } = await reader.read(wanted.camera);
    if (!held || !isNewer) return undefined;
    wanted.asked = false;
    wanted.jobsSinceNews = 0;
    wanted.notBeforeMonoMs = held.startedMonoMs + wanted.camera.source.intervalMs;
    return wanted.notBeforeMonoMs;
  } catch {
    return undefined; // the frames Redis is away; the queue may still be there
  }
}

async function addJob(wanted: Wanted, redisNowMs: number, deps: DemandDeps): Promise<number> {
  const { clock, queue, log, random } = deps;
  const { cameraId, source } = wanted.camera;
  // A little apart, so that not every pod asks at once.
  wanted.notBeforeMonoMs = clock.monoMs() + bucketMsOf(source.intervalMs) * (1 + random() / 10);
  wanted.jobsSinceNews += 1;
  try {
    await queue.add(wanted.camera, redisNowMs);
    log.debug({ cameraId }, 'refresh asked for');
  } catch (error) {
    log.debug({ cameraId, reason: messageOf(error) }, 'refresh could not be asked for');
    wanted.notBeforeMonoMs = clock.monoMs() + CLOSED_RETRY_MS;
  }
  return wanted.notBeforeMonoMs;
}

/** What an announcement means for the next time to ask. */
function heed(wanted: Wanted, announcement: Announcement, { clock, random }: DemandDeps): void {
  const nowMonoMs = clock.monoMs();
  const bucketMs = bucketMsOf(wanted.camera.source.intervalMs);
  switch (announcement.kind) {
    case 'started': {
      // The call is under way: whoever asks now is only denied.
      const laterMonoMs = nowMonoMs + bucketMs * (1 + random() / 10);
      wanted.notBeforeMonoMs = Math.max(wanted.notBeforeMonoMs, laterMonoMs);
      return;
    }
    case 'wait': {
      if (announcement.reason === 'busy') return; // the end of that call will tell
      const spreadMs = announcement.reason === 'hold' ? random() * 250 : 0;
      const toldMs = Math.min(announcement.inMs, MAX_TOLD_WAIT_MS) + spreadMs;
      wanted.notBeforeMonoMs = nowMonoMs + toldMs;
      return;
    }
    default:
      wanted.asked = false;
      wanted.jobsSinceNews = 0;
      wanted.notBeforeMonoMs = nowMonoMs + announcement.nextMs;
  }
}
