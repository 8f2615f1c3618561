import type { Source } from '@lastframe/shared/cameras/source';
import { type Cadence, SECOND_MS } from './cadence.ts';
import { type ExpectedChange, expectedChange } from './change-rhythm.ts';

type Limits = Pick<Source, 'intervalMs' | 'maxIntervalMs'>;

/** Around an expected change, calls come this often: a new picture is seen within 30 s. */
const MAX_STEP_MS = 25_000;
/** And for short periods this often, as MAX_STEP_MS is for ten minutes. */
const STEPS_PER_PERIOD = 24;
/** While the range of the next change is wide, it is halved first, to narrow it for the one after. */
const SEARCH_STEPS = 2;
/** Of a camera without a rhythm. */
const STEPS_PER_PICTURE = 8;
/** Skipping calls to a picture that changes within so many intervals would save little. */
const OFTEN_INTERVALS = 3;
/** How long an unproven expiry time defers a call; the response after that may prove it. */
const TRUSTED_MS = 30_000;

/** Returns when a camera should be called next, in ms of the queue Redis's clock. */
export function nextCallMs(cadence: Cadence, sentAtMs: number, limits: Limits): number {
  const { intervalMs, maxIntervalMs } = limits;
  const expectedMs = deferUntilExpiry(cadence, nextCallByChanges(cadence, intervalMs));
  // No longer than the camera is known, so that a few responses can't keep its place for long.
  const knownForMs = Math.max(TRUSTED_MS, sentAtMs - cadence.firstCallMs);
  const longestMs = Math.min(maxIntervalMs, Math.max(intervalMs, knownForMs));
  return Math.min(Math.max(sentAtMs + intervalMs, expectedMs), sentAtMs + longestMs);
}

function deferUntilExpiry({ expiresMs, expiry, seenMs }: Cadence, byChangesMs: number): number {
  if (expiresMs === undefined || expiresMs <= seenMs) return byChangesMs;
  if (expiry === 'wrong' || expiry === 'meaningless') return byChangesMs;
  if (expiry === 'proven') return expiresMs + SECOND_MS;
  const deferredMs = expiry === 'outlived' ? expiresMs : seenMs + TRUSTED_MS;
  return Math.max(byChangesMs, Math.min(expiresMs, deferredMs));
}

function nextCallByChanges(cadence: Cadence, intervalMs: number): number {
  const { sinceMs, seenMs, changes, nextNumber, paceMs, mayHaveMissedChanges } = cadence;
  const ageMs = seenMs - sinceMs;
  // A picture that has lasted for a while will probably last for as long again.
  if (changes.length === 0) return seenMs + ageMs;
  if (Math.max(ageMs, paceMs) < OFTEN_INTERVALS * intervalMs) return seenMs;
  const expected = expectedChange(changes, nextNumber);
  if (expected) return nextCallByRhythm(cadence, expected, intervalMs);
  // The first picture may have been there for long, so the second one may come sooner.
  if (changes.length === 1 && !mayHaveMissedChanges) {
    return Math.max(sinceMs + paceMs / 2, seenMs + ageMs);
  }
  return seenMs + Math.max(paceMs / STEPS_PER_PICTURE, overdueMs(ageMs - paceMs));
}

function nextCallByRhythm(
  { sinceMs, seenMs, mayHaveMissedChanges }: Cadence,
  { fromMs, toMs, periodMs }: ExpectedChange,
  intervalMs: number,
): number {
  const stepMs = Math.max(intervalMs, Math.min(MAX_STEP_MS, periodMs / STEPS_PER_PERIOD));
  // Early enough to still find the old picture, which confirms the rhythm.
  const [beginMs, endMs] = [fromMs - stepMs / 4, toMs + stepMs / 4];
  // A faster rhythm would bring another picture by then.
  const halfwayMs = sinceMs + periodMs / 2;
  if (mayHaveMissedChanges && seenMs < halfwayMs - intervalMs) return halfwayMs;
  if (seenMs < beginMs) return beginMs;
  if (seenMs >= endMs) return seenMs + Math.max(stepMs, overdueMs(seenMs - toMs));
  const leftMs = endMs - seenMs;
  const searchMs = Math.max(stepMs, (toMs - fromMs) / SEARCH_STEPS);
  return seenMs + leftMs / Math.ceil(leftMs / searchMs);
}

/** An overdue camera may have stopped: it is called ever less often. */
function overdueMs(lateMs: number): number {
  return lateMs / 2;
}
