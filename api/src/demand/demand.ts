import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import { bucketMsOf } from '@lastframe/shared/messages/refresh-job';
import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { FrameReader } from '../cache/frame-reader.ts';
import { type HeldFrame, isFresh } from '../cache/held-frame.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { FleetStatus } from './fleet-status.ts';
import type { Presence } from './presence.ts';
import type { RefreshQueue } from './refresh-queue.ts';
import {
  type AskingOrder,
  applyAnnouncement,
  MAX_ANNOUNCED_WAIT_MS,
  newSchedule,
  type RefreshSchedule,
  type Refusal,
  satisfy,
} from './refresh-schedule.ts';

/**
 * Turns demand into refresh jobs, never more often than it can help and never losing any: while a
 * camera is wanted here, a job is asked for again after every bucket, whatever became of the last
 * job, its reply or its announcement; only while a call is known to be under way the store is read
 * instead, until the call must be over.
 *
 * A camera that is watched here is asked for when it is due, so that its viewers find the next frame
 * instead of a stale one; one that nobody has asked for in two intervals is left alone.
 */
export interface Demand {
  /** Somebody found the camera's frame stale or missing. */
  raise(camera: Camera): void;
  onAnnouncement(announcement: Announcement): void;
  /** Announcements may have been missed: look again at every camera that is wanted. */
  recheck(): void;
  /** How long the fleet has said that it can't call this camera; 0 when it hasn't. */
  announcedWaitMs(cameraId: string): number;
  /** Why the fleet does not take this new camera for as long; undefined when it doesn't refuse it. */
  refusal(cameraId: string): Refusal | undefined;
  close(): void;
}

export interface DemandDeps {
  clock: Clock;
  memory: MemoryCache;
  reader: FrameReader;
  viewers: Presence;
  fleet: FleetStatus;
  queue: Pick<RefreshQueue, 'add'>;
  random: () => number;
  /** This process, as its jobs name it. */
  askerId: string;
  log: Log;
}

const CLOSED_RETRY_MS = 1000;
/** A job that is older is dropped by the worker that takes it (60 s), and says nothing. */
const QUEUED_MS = 65_000;
/** However many ask, a store that can't be read is tried no more often. */
const UNSURE_READ_MS = 250;
/** While jobs pile up: thousands that read the store each second would keep them from being done. */
const BEHIND_READ_MS = 15_000;
/** Without a frame nobody is served meanwhile: who still wants one has asked again by then. */
const FORGOTTEN_MS = 2 * MAX_ANNOUNCED_WAIT_MS;
/** Cameras that may be wanted at a time, before new ones without a frame are ignored. */
const MAX_WANTED = 50_000;
/** At most; a hundredth of a short interval. */
const MAX_TICK_MS = 20;

export function createDemand(deps: DemandDeps): Demand {
  const { clock, memory, viewers, fleet, random, askerId, log } = deps;
  const turns: AskingOrder = { askerId, random, lagMs: 0 };
  const all = new Map<string, RefreshSchedule>();
  let closed = false;

  const ask = async (wanted: RefreshSchedule) => {
    clearTimeout(wanted.timer);
    wanted.timer = undefined;
    if (closed || wanted.isAsking) return;
    wanted.isAsking = true;
    const dueMonoMs = await nextAsk(wanted, turns, deps).catch((error) => {
      // Else the camera would never be asked for again.
      log.error({ err: error, cameraId: wanted.camera.cameraId }, 'demand failed; trying again');
      return clock.monoMs() + CLOSED_RETRY_MS;
    });
    wanted.isAsking = false;
    // Somebody may have raised demand since nobody wanted it.
    if (closed || (dueMonoMs === undefined && !wanted.asked)) all.delete(wanted.camera.cameraId);
    else arm(wanted, dueMonoMs ?? clock.monoMs());
  };
  const arm = (wanted: RefreshSchedule, dueMonoMs: number) => {
    clearTimeout(wanted.timer);
    const tickMs = Math.min(MAX_TICK_MS, wanted.camera.source.intervalMs / 100);
    const askMonoMs = nextTick(dueMonoMs, tickMs, (fleet.redisNowMs() ?? 0) - clock.monoMs());
    const delayMs = Math.max(0, Math.ceil(askMonoMs - clock.monoMs()));
    wanted.timer = setTimeout(
      () => readNewsFirst(wanted),
      Math.min(delayMs, MAX_ANNOUNCED_WAIT_MS),
    );
  };
  /** After a pause timers come before sockets: the news that it waited for may lie there unread. */
  const readNewsFirst = (wanted: RefreshSchedule) => {
    wanted.timer = setTimeout(() => void ask(wanted), 0);
  };
  const wantedNow = (camera: Camera) => {
    const wanted = all.get(camera.cameraId) ?? newSchedule(camera);
    all.set(camera.cameraId, wanted);
    wanted.camera = camera; // under the rules in force now
    return wanted;
  };
  /** News of a camera that is watched here concern this process, whoever asked for them. */
  const concernedBy = ({ cameraId }: Announcement) => {
    const watched = viewers.watchedCamera(cameraId);
    return all.get(cameraId) ?? (watched && wantedNow(watched));
  };

  /** Anybody can make up such a camera. */
  const isUnknown = ({ cameraId, name }: Camera) =>
    name === undefined && !all.has(cameraId) && !memory.has(cameraId);
  /** There is a newer frame, as far as is known, and nobody waits for its news any more. */
  const isReadDue = ({ camera, readMonoMs }: RefreshSchedule) =>
    memory.peek(camera.cameraId)?.mayBeOutdated === true &&
    clock.monoMs() - readMonoMs >= UNSURE_READ_MS;

  return {
    raise: (camera) => {
      if (closed || (all.size >= MAX_WANTED && isUnknown(camera))) return;
      const wanted = wantedNow(camera);
      wanted.asked = true;
      wanted.askedMonoMs = clock.monoMs();
      if (wanted.timer === undefined || isReadDue(wanted)) void ask(wanted);
    },
    onAnnouncement: (announcement) => {
      const wanted = closed ? undefined : concernedBy(announcement);
      if (!wanted) return;
      applyAnnouncement(wanted, announcement, clock.monoMs(), turns);
      if (!wanted.isAsking) arm(wanted, wanted.notBeforeMonoMs);
    },
    recheck: () => {
      for (const wanted of all.values()) if (!wanted.isAsking) void ask(wanted);
    },
    announcedWaitMs: (cameraId) =>
      Math.max(0, (all.get(cameraId)?.toldUntilMonoMs ?? 0) - clock.monoMs()),
    refusal: (cameraId) => {
      const { toldUntilMonoMs = 0, refusedAs } = all.get(cameraId) ?? {};
      return clock.monoMs() < toldUntilMonoMs ? refusedAs : undefined;
    },
    close: () => {
      closed = true;
      for (const { timer } of all.values()) clearTimeout(timer);
      all.clear();
    },
  };
}

/**
 * What falls due at about the same time is asked for at once, in all processes alike: one trip to
 * Redis, and one wake-up of a worker and of all that comes behind it. Hence ticks of Redis's clock.
 */
function nextTick(monoMs: number, tickMs: number, redisAheadMs: number): number {
  return Math.ceil((monoMs + redisAheadMs) / tickMs) * tickMs - redisAheadMs;
}

/** Asks for a refresh if it is time; gives when to look again, undefined when nobody wants it. */
async function nextAsk(
  wanted: RefreshSchedule,
  turns: AskingOrder,
  deps: DemandDeps,
): Promise<number | undefined> {
  const { clock, viewers, fleet, memory } = deps;
  const { cameraId } = wanted.camera;
  const held = memory.peek(cameraId);
  const isDue = () => clock.monoMs() >= wanted.notBeforeMonoMs;
  if (!isDue() && !held?.mayBeOutdated) return wanted.notBeforeMonoMs;
  if (!held && clock.monoMs() - wanted.askedMonoMs > FORGOTTEN_MS) wanted.asked = false;
  if (!wanted.asked && !viewers.watchedCamera(cameraId)) {
    return isDue() ? undefined : wanted.notBeforeMonoMs;
  }
  if (held && !held.mayBeOutdated && isFresh(held, clock.monoMs()))
    return satisfy(wanted, held, turns);
  const redisNowMs = fleet.redisNowMs();
  if (fleet.closedBecause() !== undefined || redisNowMs === undefined) {
    return clock.monoMs() + CLOSED_RETRY_MS;
  }
  const inFlightMs = () => wanted.callOverMonoMs - clock.monoMs();
  if (held?.mayBeOutdated || wanted.jobsSinceNews > 0 || inFlightMs() > 0) {
    const isQueued = () => clock.monoMs() < wanted.queuedUntilMonoMs && fleet.isBehind();
    const sinceReadMs = clock.monoMs() - wanted.readMonoMs;
    if (isQueued() && !held?.mayBeOutdated && sinceReadMs < BEHIND_READ_MS) {
      return clock.monoMs() + CLOSED_RETRY_MS;
    }
    wanted.readMonoMs = clock.monoMs();
    const found = await readStore(wanted.camera, deps);
    if (found && isFresh(found, clock.monoMs())) return satisfy(wanted, found, turns);
    if (!isDue()) return wanted.notBeforeMonoMs; // perhaps by news that came meanwhile
    if (isQueued()) return clock.monoMs() + CLOSED_RETRY_MS;
    // A job asked for now would be denied, and its id be spent for the bucket in which the call ends.
    const againMs = Math.min(inFlightMs(), bucketMsOf(wanted.camera.source.intervalMs));
    if (againMs > 0) return clock.monoMs() + againMs;
  }
  return await addJob(wanted, redisNowMs, deps);
}

/** The frame in the store, whose announcement may have been lost. */
async function readStore(camera: Camera, { reader }: DemandDeps): Promise<HeldFrame | undefined> {
  try {
    return (await reader.read(camera)).held;
  } catch {
    return undefined; // the frames Redis is away; the queue may still be there
  }
}

async function addJob(
  wanted: RefreshSchedule,
  redisNowMs: number,
  deps: DemandDeps,
): Promise<number> {
  const { clock, queue, log, random } = deps;
  const { cameraId, source } = wanted.camera;
  // A little apart, so that not every pod asks at once.
  wanted.notBeforeMonoMs = clock.monoMs() + bucketMsOf(source.intervalMs) * (1 + random() / 10);
  wanted.jobsSinceNews += 1;
  try {
    await queue.add(wanted.camera, redisNowMs);
    wanted.queuedUntilMonoMs = clock.monoMs() + QUEUED_MS;
  } catch (error) {
    log.debug({ cameraId, reason: messageOf(error) }, 'refresh could not be asked for');
    wanted.notBeforeMonoMs = clock.monoMs() + CLOSED_RETRY_MS;
  }
  return wanted.notBeforeMonoMs;
}
