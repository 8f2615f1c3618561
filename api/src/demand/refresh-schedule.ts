import type { Camera } from '@lastframe/shared/cameras/camera';
import { freshTimeMs } from '@lastframe/shared/cameras/fresh-time';
import { guardMs } from '@lastframe/shared/cameras/spacing';
import {
  type Announcement,
  isRejection,
  type Rejection,
} from '@lastframe/shared/messages/announcement';
import { bucketMsOf } from '@lastframe/shared/messages/refresh-job';
import type { HeldFrame } from '../cache/held-frame.ts';
import type { Turn } from './job-line.ts';

/** What this process knows about the next call to a wanted camera. */
export interface RefreshSchedule {
  camera: Camera;
  /** A request has found its frame stale or missing since the last frame or failure. */
  isRequested: boolean;
  requestedMonoMs: number;
  notBeforeMonoMs: number;
  announcedUntilMonoMs: number;
  /** Why the fleet rejects this new camera until then. */
  rejection: Rejection | undefined;
  /** A call may be under way until then. */
  callOverMonoMs: number;
  /** Jobs added since the last announcement. If any, one may have been lost: the store is read. */
  jobsSinceAnnouncement: number;
  /** The turn of its last job, until a worker has taken that. */
  turn: Turn | undefined;
  /** Since when it has been due for a call. */
  dueSinceMonoMs: number | undefined;
  /** When the store was last read for it. */
  readMonoMs: number;
  /** The process that requested the last call; it requests the next one if it still wants it. */
  askedBy: string | undefined;
  /** When the next call is due, by the last announcement. */
  dueMonoMs: number;
  timer: NodeJS.Timeout | undefined;
  isAsking: boolean;
}

/** How this process takes turns with the others in requesting calls. */
export interface StandBy {
  /** The id of this process in its jobs. */
  askerId: string;
  /** Recent average time from when a call was due until its start was announced. */
  lagMs: number;
  random: () => number;
}

export const MAX_ANNOUNCED_WAIT_MS = 60_000;
/**
 * A process that stands by waits for the start of the call: this long plus the fleet's usual lag,
 * times a random factor from 1 to 2. With less, each process in a busy fleet would add every job
 * again.
 */
const STAND_BY_MS = 100;
const MAX_LAG_MS = 1000;
const LAG_WEIGHT = 0.1;

export function newSchedule(camera: Camera): RefreshSchedule {
  const never = Number.NEGATIVE_INFINITY;
  return {
    camera,
    isRequested: false,
    requestedMonoMs: never,
    notBeforeMonoMs: never,
    announcedUntilMonoMs: never,
    rejection: undefined,
    callOverMonoMs: never,
    jobsSinceAnnouncement: 0,
    turn: undefined,
    dueSinceMonoMs: undefined,
    readMonoMs: never,
    askedBy: undefined,
    dueMonoMs: never,
    timer: undefined,
    isAsking: false,
  };
}

/** A frame that is stale this long before it was expected to be has been purged, or has new rules. */
const EARLY_MS = 1000;

/**
 * Makes a camera due as soon as a permit allows, because its frame is stale before its time.
 * Returns false if it is due soon anyway.
 */
export function hasten(schedule: RefreshSchedule, nowMonoMs: number, order: StandBy): boolean {
  const permittedMonoMs = Math.max(nowMonoMs, schedule.announcedUntilMonoMs);
  if (schedule.dueMonoMs - permittedMonoMs < EARLY_MS) return false;
  setDue(schedule, permittedMonoMs, order);
  return true;
}

/** Ends demand until this frame is stale and its permit has ended; returns when to check again. */
export function endDemand(schedule: RefreshSchedule, held: HeldFrame, order: StandBy): number {
  schedule.isRequested = false;
  schedule.jobsSinceAnnouncement = 0;
  schedule.dueSinceMonoMs = undefined;
  const { source } = schedule.camera; // with the rules in force now
  const dueAgoMs = freshTimeMs(source, held.freshForMs) + guardMs(source);
  setDue(schedule, held.startedMonoMs + dueAgoMs, order);
  return schedule.notBeforeMonoMs;
}

/** Applies an announcement to the time of the next request. */
export function applyAnnouncement(
  schedule: RefreshSchedule,
  announcement: Announcement,
  nowMonoMs: number,
  order: StandBy,
): void {
  const bucketMs = bucketMsOf(schedule.camera.source.intervalMs);
  // Every announcement but a purge means that a worker took the job.
  if (announcement.kind !== 'purge') {
    endTurn(schedule, announcement);
    schedule.turn = undefined;
    schedule.rejection = undefined;
  }
  switch (announcement.kind) {
    case 'started': {
      schedule.dueSinceMonoMs = undefined;
      // The call is under way: a job added now would be denied.
      const laterMonoMs = nowMonoMs + bucketMs * (1 + order.random() / 10);
      schedule.notBeforeMonoMs = Math.max(schedule.notBeforeMonoMs, laterMonoMs);
      schedule.callOverMonoMs = nowMonoMs + (announcement.overMs ?? 0);
      recordStart(schedule, announcement.askedBy, nowMonoMs, order);
      return;
    }
    case 'wait': {
      if (announcement.reason === 'busy') return; // the end of that call is announced
      const spreadMs = announcement.reason === 'hold' ? order.random() * 250 : 0;
      const waitMs = Math.min(announcement.inMs, MAX_ANNOUNCED_WAIT_MS) + spreadMs;
      schedule.notBeforeMonoMs = nowMonoMs + waitMs;
      schedule.announcedUntilMonoMs = nowMonoMs + announcement.inMs;
      schedule.callOverMonoMs = Number.NEGATIVE_INFINITY; // otherwise the reason would be `busy`
      if (isRejection(announcement.reason)) {
        schedule.rejection = announcement.reason;
        schedule.isRequested = false; // a new request, a wait or a stream requests it again
      }
      return;
    }
    case 'purge':
      // The next request, or a viewer present, finds the frame stale or missing.
      hasten(schedule, nowMonoMs, order);
      return;
    default:
      schedule.dueSinceMonoMs = undefined;
      schedule.isRequested = false;
      schedule.jobsSinceAnnouncement = 0;
      schedule.announcedUntilMonoMs = nowMonoMs + announcement.nextMs;
      setDue(schedule, schedule.announcedUntilMonoMs, order);
      schedule.callOverMonoMs = Number.NEGATIVE_INFINITY;
  }
}

function endTurn({ turn }: RefreshSchedule, announcement: Announcement): void {
  if (announcement.kind === 'started') turn?.end(announcement.queuedMs);
  else if (announcement.kind === 'wait' && announcement.reason === 'share')
    turn?.refuse(announcement.inMs);
  else turn?.end();
}

/**
 * The process that requested the last call also requests the next. The others step in only if no
 * call starts when it is due: that process may be gone, or have no viewers left.
 */
function setDue(
  schedule: RefreshSchedule,
  dueMonoMs: number,
  { askerId, lagMs, random }: StandBy,
): void {
  const standsBy = schedule.askedBy !== undefined && schedule.askedBy !== askerId;
  schedule.dueMonoMs = dueMonoMs;
  schedule.notBeforeMonoMs = dueMonoMs + (standsBy ? (STAND_BY_MS + lagMs) * (1 + random()) : 0);
}

/** Measures the fleet's lag, unless another process stepped in: that is mostly standby time. */
function recordStart(
  schedule: RefreshSchedule,
  askedBy: string | undefined,
  nowMonoMs: number,
  order: StandBy,
): void {
  const isUsual = askedBy !== undefined && askedBy === schedule.askedBy;
  schedule.askedBy = askedBy;
  if (!isUsual || !Number.isFinite(schedule.dueMonoMs)) return;
  const lagMs = Math.min(MAX_LAG_MS, Math.max(0, nowMonoMs - schedule.dueMonoMs));
  order.lagMs += LAG_WEIGHT * (lagMs - order.lagMs);
}
