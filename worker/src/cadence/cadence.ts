import type { CachingHints } from '../camera-call/caching-hints.ts';
import { type ChangeWindow, expectedChange, middleOf } from './change-rhythm.ts';

/** What the calls of a camera have shown so far. Times are ms of the queue Redis's clock. */
export interface Cadence {
  /** When the first call was sent. */
  firstCallMs: number;
  /** Of the current picture. */
  etag: string;
  /** When the current picture was first seen, or when it changed, if the camera says so. */
  sinceMs: number;
  /**
   * When the camera certainly still had this picture: at the end of the call that found it, or at
   * the start of the last one that found it again.
   */
  seenMs: number;
  /** The last changes, in order. */
  changes: readonly ChangeWindow[];
  /** The number of the next change. */
  nextNumber: number;
  /** Typical time between two changes; 0 before the first one. */
  paceMs: number;
  /** The first call after a change found another one: there may have been more in between. */
  mayHaveMissedChanges: boolean;
  /** The camera's `Last-Modified` once contradicted what calls had seen. */
  hasWrongDates: boolean;
  /** Until when the camera says that the picture may be kept. */
  expiresMs?: number | undefined;
  expiry: Expiry;
}

/**
 * What the expiry time of the current picture means.
 * - `unproven`: only one response has named it
 * - `proven`: two have; the next picture is expected then
 * - `outlived`: of a copy in a cache, which has fetched the same picture again before
 * - `meaningless`: it moves with each response, or pictures outlive it
 * - `wrong`: a picture changed before
 */
export const EXPIRIES = ['unproven', 'proven', 'outlived', 'meaningless', 'wrong'] as const;
export type Expiry = (typeof EXPIRIES)[number];

/** One response with a picture, new or not. */
export interface Observation {
  etag: string;
  sentAtMs: number;
  receivedAtMs: number;
  hints: CachingHints;
}

/** More would narrow the range of the next change only a little, and forget a rhythm later. */
export const MAX_CHANGES = 6;
/** HTTP's times are whole seconds. */
export const SECOND_MS = 1000;
/** Two rounded times may differ by as much. */
const SAME_TIME_MS = 2 * SECOND_MS;
/** Fewer changes would fit any rhythm, and so bridge any pause. */
const BRIDGING_CHANGES = 3;
/** A dated change may come a little before it is expected. */
const ROUNDING = 0.1;
/** After so many times the typical time, unseen changes cannot be counted. */
const LOST_PACES = 4;

/** Adds a response to what is known of a camera. */
export function observe(before: Cadence | undefined, seen: Observation): Cadence {
  // A clock that was set back makes earlier times useless.
  const known = before && before.seenMs <= seen.sentAtMs ? before : undefined;
  const { expiresInMs } = seen.hints;
  return {
    ...pictureAfter(known, seen),
    firstCallMs: known?.firstCallMs ?? seen.sentAtMs,
    etag: seen.etag,
    expiresMs: expiresInMs === undefined ? undefined : seen.receivedAtMs + expiresInMs,
    expiry: expiryAfter(known, seen),
  };
}

type Picture = Omit<Cadence, 'firstCallMs' | 'etag' | 'expiresMs' | 'expiry'>;

function pictureAfter(known: Cadence | undefined, seen: Observation): Picture {
  if (!known) return firstPicture(seen.sentAtMs);
  return known.etag === seen.etag ? { ...known, seenMs: seen.sentAtMs } : newPicture(known, seen);
}

function firstPicture(atMs: number): Picture {
  return {
    sinceMs: atMs,
    seenMs: atMs,
    changes: [],
    nextNumber: 0,
    paceMs: 0,
    mayHaveMissedChanges: false,
    hasWrongDates: false,
  };
}

function newPicture(known: Cadence, seen: Observation): Picture {
  const { receivedAtMs } = seen;
  const { seenMs } = known;
  const changedAtMs = changedAtMsOf(seen);
  const hasWrongDates =
    known.hasWrongDates || (changedAtMs !== undefined && changedAtMs < seenMs - SAME_TIME_MS);
  const dateMs = hasWrongDates ? undefined : changedAtMs;
  const missed = missedChanges(known, dateMs ?? receivedAtMs);
  if (missed === undefined) return { ...firstPicture(receivedAtMs), hasWrongDates };
  const number = known.nextNumber + missed;
  const change = changeBetween(known, number, dateMs, receivedAtMs);
  // With changes missed in between, a window without a date is too wide to say anything.
  const isKnown = missed === 0 || dateMs !== undefined;
  const changes = isKnown ? [...known.changes, change].slice(-MAX_CHANGES) : known.changes;
  return {
    sinceMs: dateMs ?? receivedAtMs,
    seenMs: receivedAtMs,
    changes,
    nextNumber: number + 1,
    paceMs: Math.max(0, medianPaceMs(changes) ?? change.afterMs - known.sinceMs),
    mayHaveMissedChanges: isKnown && dateMs === undefined && seenMs <= known.sinceMs,
    hasWrongDates,
  };
}

function changeBetween(
  { seenMs }: Cadence,
  number: number,
  dateMs: number | undefined,
  receivedAtMs: number,
): ChangeWindow {
  if (dateMs === undefined) return { number, afterMs: seenMs, byMs: receivedAtMs };
  return { number, afterMs: Math.max(0, dateMs - SECOND_MS), byMs: dateMs + SECOND_MS };
}

/**
 * Returns how many changes came unseen before one at this time, while nobody watched the camera: its
 * rhythm is taken to have gone on. Returns `undefined` if it has none, or is not known well enough.
 */
function missedChanges(known: Cadence, atMs: number): number | undefined {
  const { changes, nextNumber, paceMs, seenMs, mayHaveMissedChanges } = known;
  // One change alone gives no pace: the first picture may have been there for long.
  const isLost = changes.length > 1 && atMs - seenMs > LOST_PACES * paceMs;
  const hasRhythm = changes.length >= BRIDGING_CHANGES && !mayHaveMissedChanges;
  const expected = hasRhythm ? expectedChange(changes, nextNumber) : undefined;
  if (!expected) return isLost ? undefined : 0;
  const { fromMs, toMs, periodMs } = expected;
  const missed = Math.floor((atMs - (fromMs + toMs) / 2) / periodMs + ROUNDING);
  // If calls still saw the old picture later, the camera itself has paused.
  if (missed < 1 || seenMs > toMs) return 0;
  return toMs - fromMs < periodMs / 2 ? missed : undefined;
}

function medianPaceMs(changes: readonly ChangeWindow[]): number | undefined {
  const pacesMs = changes.slice(1).map((change, index) => {
    const before = changes[index] ?? change;
    return (middleOf(change) - middleOf(before)) / Math.max(1, change.number - before.number);
  });
  return pacesMs.sort((a, b) => a - b)[pacesMs.length >> 1];
}

/** A camera that writes the time of its response as `Last-Modified` does not know when it changed. */
function changedAtMsOf({ hints, sentAtMs, receivedAtMs }: Observation): number | undefined {
  const { changedAgoMs } = hints;
  const isKnown = changedAgoMs !== undefined && changedAgoMs >= receivedAtMs - sentAtMs + SECOND_MS;
  return isKnown ? receivedAtMs - changedAgoMs : undefined;
}

function expiryAfter(known: Cadence | undefined, seen: Observation): Expiry {
  const { hints, sentAtMs, receivedAtMs } = seen;
  if (known?.expiresMs === undefined) return known?.expiry ?? 'unproven';
  const { expiry } = known;
  const hasExpired = receivedAtMs >= known.expiresMs - SAME_TIME_MS;
  if (known.etag !== seen.etag) {
    if (!hasExpired) return 'wrong';
    return expiry === 'proven' || expiry === 'wrong' ? 'unproven' : expiry;
  }
  if (hints.expiresInMs === undefined || expiry === 'meaningless' || expiry === 'wrong') {
    return expiry;
  }
  const movedMs = receivedAtMs + hints.expiresInMs - known.expiresMs;
  const hasMoved = movedMs > SAME_TIME_MS + receivedAtMs - sentAtMs;
  if (!hasMoved) return expiry === 'outlived' ? expiry : 'proven';
  return hasExpired && hints.isCopy ? 'outlived' : 'meaningless';
}
