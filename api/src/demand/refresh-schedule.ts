import type { Camera } from '@lastframe/shared/cameras/camera';
import { spacingMs } from '@lastframe/shared/cameras/spacing';
import type { Announcement } from '@lastframe/shared/messages/announcement';
import { bucketMsOf } from '@lastframe/shared/messages/refresh-job';
import type { HeldFrame } from '../cache/held-frame.ts';

/** What one process knows of the next call to a camera that is wanted here. */
export interface RefreshSchedule {
  camera: Camera;
  /** A request found it stale since the last frame or failure. */
  asked: boolean;
  askedMonoMs: number;
  notBeforeMonoMs: number;
  toldUntilMonoMs: number;
  /** Until then the fleet takes no new camera, and this is one. */
  refusedAs: Refusal | undefined;
  /** A call is under way at most until then. */
  callOverMonoMs: number;
  /** Jobs asked for without any news since: the news may have been lost, so the store is read. */
  jobsSinceNews: number;
  /** A job of this process may still wait in the queue until then. */
  queuedUntilMonoMs: number;
  /** When the store was last read for it. */
  readMonoMs: number;
  /** Which process asked for the last call: it asks for the next one, if it still wants it. */
  askedBy: string | undefined;
  /** When the next call is due, by the last news. */
  dueMonoMs: number;
  timer: NodeJS.Timeout | undefined;
  isAsking: boolean;
}

/** Why the fleet takes no new camera: its source has as many as it may, or Redis has no memory left. */
export type Refusal = 'places' | 'memory';

export function isRefusal(reason: string): reason is Refusal {
  return reason === 'places' || reason === 'memory';
}

/** How this process stands among the others. */
export interface AskingOrder {
  /** This process, as its jobs name it. */
  askerId: string;
  /** How long it lately took from when a call was due until it was heard to have started. */
  lagMs: number;
  random: () => number;
}

export const MAX_ANNOUNCED_WAIT_MS = 60_000;
/**
 * Whose turn it isn't waits for so long and the fleet's usual lag, up to twice, to hear that the call
 * has started. Less, and in a busy fleet each process would add every job again.
 */
const STAND_BY_MS = 100;
const MAX_LAG_MS = 1000;
const LAG_WEIGHT = 0.1;

export function newSchedule(camera: Camera): RefreshSchedule {
  const never = Number.NEGATIVE_INFINITY;
  return {
    camera,
    asked: false,
    askedMonoMs: never,
    notBeforeMonoMs: never,
    toldUntilMonoMs: never,
    refusedAs: undefined,
    callOverMonoMs: never,
    jobsSinceNews: 0,
    queuedUntilMonoMs: never,
    readMonoMs: never,
    askedBy: undefined,
    dueMonoMs: never,
    timer: undefined,
    isAsking: false,
  };
}

/** Nobody needs another frame before this one is stale, and nobody gets one before its permit ends. */
export function satisfy(wanted: RefreshSchedule, held: HeldFrame, turns: AskingOrder): number {
  wanted.asked = false;
  wanted.jobsSinceNews = 0;
  setDue(wanted, held.startedMonoMs + spacingMs(held.camera.source), turns);
  return wanted.notBeforeMonoMs;
}

/** What an announcement means for the next time to ask. */
export function applyAnnouncement(
  wanted: RefreshSchedule,
  announcement: Announcement,
  nowMonoMs: number,
  turns: AskingOrder,
): void {
  const bucketMs = bucketMsOf(wanted.camera.source.intervalMs);
  // A purge says nothing of jobs; all other news come from one that was taken.
  if (announcement.kind !== 'purge') {
    wanted.queuedUntilMonoMs = Number.NEGATIVE_INFINITY;
    wanted.refusedAs = undefined;
  }
  switch (announcement.kind) {
    case 'started': {
      // The call is under way: whoever asks now is only denied.
      const laterMonoMs = nowMonoMs + bucketMs * (1 + turns.random() / 10);
      wanted.notBeforeMonoMs = Math.max(wanted.notBeforeMonoMs, laterMonoMs);
      wanted.callOverMonoMs = nowMonoMs + (announcement.overMs ?? 0);
      noteTurn(wanted, announcement.askedBy, nowMonoMs, turns);
      return;
    }
    case 'wait': {
      if (announcement.reason === 'busy') return; // the end of that call will tell
      const spreadMs = announcement.reason === 'hold' ? turns.random() * 250 : 0;
      const toldMs = Math.min(announcement.inMs, MAX_ANNOUNCED_WAIT_MS) + spreadMs;
      wanted.notBeforeMonoMs = nowMonoMs + toldMs;
      wanted.toldUntilMonoMs = nowMonoMs + announcement.inMs;
      wanted.callOverMonoMs = Number.NEGATIVE_INFINITY; // else it were busy
      if (isRefusal(announcement.reason)) {
        wanted.refusedAs = announcement.reason;
        wanted.asked = false; // only a stream that stays open asks again
      }
      return;
    }
    case 'purge':
      return; // whoever finds the frame stale or missing now raises demand
    default:
      wanted.asked = false;
      wanted.jobsSinceNews = 0;
      wanted.toldUntilMonoMs = nowMonoMs + announcement.nextMs;
      setDue(wanted, wanted.toldUntilMonoMs, turns);
      wanted.callOverMonoMs = Number.NEGATIVE_INFINITY;
  }
}

/**
 * One process asks for all: the one that asked for the last call. The others ask only if they don't
 * hear of a call when it is due, because that process is gone or nobody there watches any more.
 */
function setDue(
  wanted: RefreshSchedule,
  dueMonoMs: number,
  { askerId, lagMs, random }: AskingOrder,
): void {
  const othersAsk = wanted.askedBy !== undefined && wanted.askedBy !== askerId;
  wanted.dueMonoMs = dueMonoMs;
  wanted.notBeforeMonoMs = dueMonoMs + (othersAsk ? (STAND_BY_MS + lagMs) * (1 + random()) : 0);
}

/** The lag is what the fleet takes; when another process had to step in, it is mostly our own wait. */
function noteTurn(
  wanted: RefreshSchedule,
  askedBy: string | undefined,
  nowMonoMs: number,
  turns: AskingOrder,
): void {
  const isUsual = askedBy !== undefined && askedBy === wanted.askedBy;
  wanted.askedBy = askedBy;
  if (!isUsual || !Number.isFinite(wanted.dueMonoMs)) return;
  const lagMs = Math.min(MAX_LAG_MS, Math.max(0, nowMonoMs - wanted.dueMonoMs));
  turns.lagMs += LAG_WEIGHT * (lagMs - turns.lagMs);
}
