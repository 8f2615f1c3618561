import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Announcement, Rejection } from '@lastframe/shared/messages/announcement';
import { bucketMsOf } from '@lastframe/shared/messages/refresh-job';
import type { Clock } from '@lastframe/shared/process/clock';
import { messageOf } from '@lastframe/shared/process/errors';
import type { Log } from '@lastframe/shared/process/log';
import type { FrameReader } from '../cache/frame-reader.ts';
import { type HeldFrame, isFresh } from '../cache/held-frame.ts';
import type { MemoryCache } from '../cache/memory-cache.ts';
import type { FleetStatus } from './fleet-status.ts';
import type { JobLine, Turn } from './job-line.ts';
import type { Presence } from './presence.ts';
import type { RefreshQueue } from './refresh-queue.ts';
import {
  applyAnnouncement,
  endDemand,
  hasten,
  MAX_ANNOUNCED_WAIT_MS,
  newSchedule,
  type RefreshSchedule,
  type StandBy,
} from './refresh-schedule.ts';

/**
 * Turns demand into as few refresh jobs as possible without losing any. While a camera is wanted
 * here, a job is added after every bucket, whatever became of the last job, its reply or its
 * announcement. While a call is known to be under way, the store is read instead.
 *
 * A watched camera is requested when it is due, so that its viewers find the next frame instead of
 * a stale one. A camera that nobody has requested for twice as long as its frame was fresh is left
 * alone.
 */
export interface Demand {
  /** Records that the camera's next frame is wanted. */
  raise(camera: Camera): void;
  onAnnouncement(announcement: Announcement): void;
  /** Checks every wanted camera again, as announcements may have been missed. */
  recheck(): void;
  /** Returns how long the fleet has announced it cannot call this camera; 0 if it has not. */
  announcedWaitMs(cameraId: string): number;
  /** Returns why the fleet rejects this new camera during that wait; undefined if it does not. */
  rejection(cameraId: string): Rejection | undefined;
  /**
   * Returns how long a request for a new camera should stay away, in ms: more of them are waiting
   * than can be called while their viewers wait. 0 if it may wait too, or already does.
   */
  newCameraWaitMs(cameraId: string): number;
  close(): void;
}

export interface DemandDeps {
  clock: Clock;
  memory: MemoryCache;
  reader: FrameReader;
  presence: Presence;
  fleet: FleetStatus;
  queue: Pick<RefreshQueue, 'add'>;
  line: JobLine;
  random: () => number;
  /** How long viewers wait for a camera's first frame. */
  coldWaitMs: number;
  /** The id of this process in its jobs. */
  askerId: string;
  log: Log;
}

const CLOSED_RETRY_MS = 1000;
/** An unreadable store is retried no more often than this. */
const OUTDATED_READ_MS = 250;
/** Without a frame no viewer is served, so those that still want one have retried by then. */
const FORGOTTEN_MS = 2 * MAX_ANNOUNCED_WAIT_MS;
/** A request that does not wait comes back within this time. */
const LEAST_PATIENCE_MS = 15_000;
/** With this many wanted cameras, new ones without a frame are ignored. */
const MAX_WANTED = 50_000;
/** For short intervals, a tick is a hundredth of the interval. */
const MAX_TICK_MS = 20;

export function createDemand(deps: DemandDeps): Demand {
  const { clock, memory, presence, fleet, random, askerId, log } = deps;
  const order: StandBy = { askerId, random, lagMs: 0 };
  const schedules = new Map<string, RefreshSchedule>();
  let closed = false;

  const check = async (schedule: RefreshSchedule) => {
    clearTimeout(schedule.timer);
    schedule.timer = undefined;
    if (closed || schedule.isAsking) return;
    schedule.isAsking = true;
    const dueMonoMs = await addJobIfDue(schedule, order, deps).catch((error) => {
      // Otherwise the camera would never be requested again.
      const { cameraId } = schedule.camera;
      log.error({ err: error, cameraId }, 'requesting refreshes failed; retrying');
      return clock.monoMs() + CLOSED_RETRY_MS;
    });
    schedule.isAsking = false;
    // Demand may have been raised since the check found none.
    const isForgotten = dueMonoMs === undefined && !schedule.isRequested;
    if (closed || isForgotten) schedules.delete(schedule.camera.cameraId);
    else arm(schedule, dueMonoMs ?? clock.monoMs());
  };
  const arm = (schedule: RefreshSchedule, dueMonoMs: number) => {
    clearTimeout(schedule.timer);
    const tickMs = Math.min(MAX_TICK_MS, schedule.camera.source.intervalMs / 100);
    const askMonoMs = nextTick(dueMonoMs, tickMs, (fleet.redisNowMs() ?? 0) - clock.monoMs());
    const delayMs = Math.max(0, Math.ceil(askMonoMs - clock.monoMs()));
    schedule.timer = setTimeout(
      () => readSocketsFirst(schedule),
      Math.min(delayMs, MAX_ANNOUNCED_WAIT_MS),
    );
  };
  /** After a pause, timers run before sockets: the expected announcement may still be unread. */
  const readSocketsFirst = (schedule: RefreshSchedule) => {
    schedule.timer = setTimeout(() => void check(schedule), 0);
  };
  const scheduleFor = (camera: Camera) => {
    const schedule = schedules.get(camera.cameraId) ?? newSchedule(camera);
    schedules.set(camera.cameraId, schedule);
    schedule.camera = camera; // under the rules in force now
    return schedule;
  };
  /** Announcements of a watched camera matter here, whichever process requested the refresh. */
  const scheduleAffectedBy = ({ cameraId }: Announcement) => {
    const watched = presence.watchedCamera(cameraId);
    return schedules.get(cameraId) ?? (watched && scheduleFor(watched));
  };

  /** Anybody can make up such a camera. */
  const isUnknown = ({ cameraId, name }: Camera) =>
    name === undefined && !schedules.has(cameraId) && !memory.has(cameraId);
  /** The store may have a newer frame, and it has not just been read. */
  const isReadDue = ({ camera, readMonoMs }: RefreshSchedule) =>
    memory.peek(camera.cameraId)?.mayBeOutdated === true &&
    clock.monoMs() - readMonoMs >= OUTDATED_READ_MS;

  /** Makes the camera due now if its frame is stale early; returns whether it is. */
  const hastenIfStale = (schedule: RefreshSchedule) => {
    const held = memory.peek(schedule.camera.cameraId);
    const isStale = held !== undefined && !isFresh(held, clock.monoMs(), schedule.camera);
    return isStale && hasten(schedule, clock.monoMs(), order);
  };

  return {
    raise: (camera) => {
      if (closed || (schedules.size >= MAX_WANTED && isUnknown(camera))) return;
      const schedule = scheduleFor(camera);
      schedule.isRequested = true;
      schedule.requestedMonoMs = clock.monoMs();
      const mustCheck = schedule.timer === undefined || isReadDue(schedule);
      if (mustCheck || hastenIfStale(schedule)) void check(schedule);
    },
    onAnnouncement: (announcement) => {
      const schedule = closed ? undefined : scheduleAffectedBy(announcement);
      if (!schedule) return;
      applyAnnouncement(schedule, announcement, clock.monoMs(), order);
      if (!schedule.isAsking) arm(schedule, schedule.notBeforeMonoMs);
    },
    recheck: () => {
      for (const schedule of schedules.values()) if (!schedule.isAsking) void check(schedule);
    },
    announcedWaitMs: (cameraId) =>
      Math.max(0, (schedules.get(cameraId)?.announcedUntilMonoMs ?? 0) - clock.monoMs()),
    rejection: (cameraId) => {
      const { announcedUntilMonoMs = 0, rejection } = schedules.get(cameraId) ?? {};
      return clock.monoMs() < announcedUntilMonoMs ? rejection : undefined;
    },
    newCameraWaitMs: (cameraId) => {
      if (schedules.get(cameraId)?.isRequested) return 0;
      return Math.max(0, deps.line.newCameraWaitMs() - deps.coldWaitMs);
    },
    close: () => {
      closed = true;
      deps.line.close();
      for (const { timer } of schedules.values()) clearTimeout(timer);
      schedules.clear();
    },
  };
}

/**
 * Rounds up to a tick of Redis's clock. All processes then request what is due at about the same
 * time together, with one round trip to Redis and one wake-up of a worker.
 */
function nextTick(monoMs: number, tickMs: number, redisAheadMs: number): number {
  return Math.ceil((monoMs + redisAheadMs) / tickMs) * tickMs - redisAheadMs;
}

/** Requests a refresh if it is due; returns when to check again, or undefined without demand. */
async function addJobIfDue(
  schedule: RefreshSchedule,
  order: StandBy,
  deps: DemandDeps,
): Promise<number | undefined> {
  const first = await decide(schedule, order, deps);
  if (first.next !== 'job') return first.dueMonoMs;
  const enteredMonoMs = deps.clock.monoMs();
  schedule.dueSinceMonoMs ??= enteredMonoMs;
  const turn = await deps.line.enter({
    source: schedule.camera.source.name,
    isNew: !deps.memory.has(schedule.camera.cameraId),
    dueMonoMs: schedule.dueSinceMonoMs,
  });
  if (isAbandoned(schedule, enteredMonoMs, deps)) schedule.isRequested = false;
  // Another process may have requested it meanwhile, or its viewers may have left.
  const decision = await decide(schedule, order, deps);
  if (decision.next === 'job') return await addJob(schedule, turn, decision.redisNowMs, deps);
  turn.end();
  return decision.dueMonoMs;
}

/** Returns whether nobody waits any more for the first frame of a camera that stood in line. */
function isAbandoned(
  { camera: { cameraId }, requestedMonoMs }: RefreshSchedule,
  enteredMonoMs: number,
  { clock, memory, presence, coldWaitMs }: DemandDeps,
): boolean {
  if (memory.has(cameraId) || presence.isPresent(cameraId)) return false;
  const sinceMonoMs = Math.max(enteredMonoMs, requestedMonoMs);
  return clock.monoMs() - sinceMonoMs > Math.max(coldWaitMs, LEAST_PATIENCE_MS);
}

type Decision =
  | { next: 'job'; redisNowMs: number }
  /** Undefined without demand. */
  | { next: 'check'; dueMonoMs: number | undefined };

const checkAt = (dueMonoMs: number | undefined): Decision => ({ next: 'check', dueMonoMs });

/** Decides whether a refresh is to be requested now, or when to check again. */
async function decide(
  schedule: RefreshSchedule,
  order: StandBy,
  deps: DemandDeps,
): Promise<Decision> {
  const { clock, presence, fleet, memory } = deps;
  const { cameraId } = schedule.camera;
  const held = memory.peek(cameraId);
  const isDue = () => clock.monoMs() >= schedule.notBeforeMonoMs;
  if (!isDue() && !held?.mayBeOutdated) return checkAt(schedule.notBeforeMonoMs);
  if (!held && clock.monoMs() - schedule.requestedMonoMs > FORGOTTEN_MS)
    schedule.isRequested = false;
  if (!schedule.isRequested && !presence.watchedCamera(cameraId)) {
    return checkAt(isDue() ? undefined : schedule.notBeforeMonoMs);
  }
  if (held && !held.mayBeOutdated && isFresh(held, clock.monoMs(), schedule.camera))
    return checkAt(endDemand(schedule, held, order));
  const redisNowMs = fleet.redisNowMs();
  if (fleet.whyCannotCall() !== undefined || redisNowMs === undefined) {
    return checkAt(clock.monoMs() + CLOSED_RETRY_MS);
  }
  const inFlightMs = () => schedule.callOverMonoMs - clock.monoMs();
  const hasJustRead = clock.monoMs() - schedule.readMonoMs < OUTDATED_READ_MS;
  const mayHaveNews = held?.mayBeOutdated || schedule.jobsSinceAnnouncement > 0;
  if ((mayHaveNews && !hasJustRead) || inFlightMs() > 0) {
    schedule.readMonoMs = clock.monoMs();
    const found = await readStore(schedule.camera, deps);
    if (found && isFresh(found, clock.monoMs(), schedule.camera))
      return checkAt(endDemand(schedule, found, order));
    // An announcement may have come meanwhile.
    if (!isDue()) return checkAt(schedule.notBeforeMonoMs);
    // A job added now would be denied, and its id used up for the bucket in which the call ends.
    const againMs = Math.min(inFlightMs(), bucketMsOf(schedule.camera.source.intervalMs));
    if (againMs > 0) return checkAt(clock.monoMs() + againMs);
  }
  return { next: 'job', redisNowMs };
}

/** Reads the frame in the store, as its announcement may have been lost. */
async function readStore(camera: Camera, { reader }: DemandDeps): Promise<HeldFrame | undefined> {
  try {
    return (await reader.read(camera)).held;
  } catch {
    return undefined; // the frames Redis is unavailable; the queue may still work
  }
}

async function addJob(
  schedule: RefreshSchedule,
  turn: Turn,
  redisNowMs: number,
  deps: DemandDeps,
): Promise<number> {
  const { clock, queue, memory, log, random } = deps;
  const { cameraId, source } = schedule.camera;
  // Spread out, so that not all pods add the job at once.
  schedule.notBeforeMonoMs = clock.monoMs() + bucketMsOf(source.intervalMs) * (1 + random() / 10);
  schedule.jobsSinceAnnouncement += 1;
  schedule.turn?.end();
  schedule.turn = turn;
  try {
    await queue.add(schedule.camera, redisNowMs, { isFirst: !memory.has(cameraId) });
  } catch (error) {
    turn.end();
    log.debug({ cameraId, reason: messageOf(error) }, 'adding a refresh job failed');
    schedule.notBeforeMonoMs = clock.monoMs() + CLOSED_RETRY_MS;
  }
  return schedule.notBeforeMonoMs;
}
