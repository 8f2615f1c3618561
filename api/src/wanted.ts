import type { Announcement } from '@lastframe/shared/announcement';
import type { Camera } from '@lastframe/shared/camera';
import { bucketMsOf } from '@lastframe/shared/refresh-job';
import { spacingMs } from '@lastframe/shared/spacing';
import type { HeldFrame } from './memory-cache.ts';

/** What one process knows of the next call to a camera that is wanted here. */
export interface Wanted {
  camera: Camera;
  /** A request found it stale since the last frame or failure. */
  asked: boolean;
  askedMonoMs: number;
  notBeforeMonoMs: number;
  toldUntilMonoMs: number;
  /** A call is under way at most until then. */
  callOverMonoMs: number;
  /** Jobs asked for without any news since: the news may have been lost, so the store is read. */
  jobsSinceNews: number;
  /** Another process asked for the last call, and will for the next one if it still wants it. */
  othersAsk: boolean;
  timer: NodeJS.Timeout | undefined;
  isAsking: boolean;
}

export interface HeedDeps {
  nowMonoMs: number;
  random: () => number;
  /** This process, as its jobs name it. */
  askerId: string;
}

export const MAX_TOLD_WAIT_MS = 60_000;
/**
 * Whose turn it isn't waits for so long, up to twice, to hear that the call has started. Long enough
 * for a job to get through a busy fleet: else each process would add every job again.
 */
export const STAND_BY_MS = 100;

export function newWanted(camera: Camera): Wanted {
  const never = Number.NEGATIVE_INFINITY;
  return {
    camera,
    asked: false,
    askedMonoMs: never,
    notBeforeMonoMs: never,
    toldUntilMonoMs: never,
    callOverMonoMs: never,
    jobsSinceNews: 0,
    othersAsk: false,
    timer: undefined,
    isAsking: false,
  };
}

/** Nobody needs another frame before this one is stale, and nobody gets one before its permit ends. */
export function satisfy(wanted: Wanted, held: HeldFrame, random: () => number): number {
  wanted.asked = false;
  wanted.jobsSinceNews = 0;
  wanted.notBeforeMonoMs =
    held.startedMonoMs + spacingMs(held.camera.source) + standByMs(wanted, random);
  return wanted.notBeforeMonoMs;
}

/** What an announcement means for the next time to ask. */
export function heed(wanted: Wanted, announcement: Announcement, deps: HeedDeps): void {
  const { nowMonoMs, random, askerId } = deps;
  const bucketMs = bucketMsOf(wanted.camera.source.intervalMs);
  switch (announcement.kind) {
    case 'started': {
      // The call is under way: whoever asks now is only denied.
      const laterMonoMs = nowMonoMs + bucketMs * (1 + random() / 10);
      wanted.notBeforeMonoMs = Math.max(wanted.notBeforeMonoMs, laterMonoMs);
      wanted.callOverMonoMs = nowMonoMs + (announcement.overMs ?? 0);
      wanted.othersAsk = announcement.askedBy !== undefined && announcement.askedBy !== askerId;
      return;
    }
    case 'wait': {
      if (announcement.reason === 'busy') return; // the end of that call will tell
      const spreadMs = announcement.reason === 'hold' ? random() * 250 : 0;
      const toldMs = Math.min(announcement.inMs, MAX_TOLD_WAIT_MS) + spreadMs;
      wanted.notBeforeMonoMs = nowMonoMs + toldMs;
      wanted.toldUntilMonoMs = nowMonoMs + announcement.inMs;
      return;
    }
    default:
      wanted.asked = false;
      wanted.jobsSinceNews = 0;
      wanted.toldUntilMonoMs = nowMonoMs + announcement.nextMs;
      wanted.notBeforeMonoMs = wanted.toldUntilMonoMs + standByMs(wanted, random);
      wanted.callOverMonoMs = Number.NEGATIVE_INFINITY;
  }
}

/**
 * One process asks for all: the one that asked for the last call. The others ask only if they don't
 * hear of a call when it is due, because that process is gone or nobody there watches any more.
 */
function standByMs({ othersAsk }: Wanted, random: () => number): number {
  return othersAsk ? STAND_BY_MS * (1 + random()) : 0;
}
