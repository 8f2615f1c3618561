/** Between which two times a camera's picture changed, in ms of the queue Redis's clock. */
export interface ChangeWindow {
  /** Counts the changes, also those that no call has seen. */
  number: number;
  afterMs: number;
  byMs: number;
}

/** When a change is expected, if the others came at regular times. */
export interface ExpectedChange {
  fromMs: number;
  toMs: number;
  /** Average time between two changes. */
  periodMs: number;
}

/** Two changes fit any rhythm; so few are only relied on as long as there are no more. */
const LEAST_WINDOWS = 3;
/** Shares of the period. Changes that deviate by more than the last one are not regular. */
const DEVIATIONS = [0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.125];

/**
 * Predicts a change by all regular times that fit the windows of earlier ones; undefined if none
 * do. Allows for the least deviation that makes them fit, and forgets older changes if they still
 * do not: a camera that paused, or changed its rhythm, soon has one again.
 */
export function expectedChange(
  windows: readonly ChangeWindow[],
  number: number,
): ExpectedChange | undefined {
  const least = Math.min(windows.length, LEAST_WINDOWS);
  for (let count = windows.length; count >= least && count >= 2; count -= 1) {
    const expected = expectedFrom(windows.slice(-count), number);
    if (expected) return expected;
  }
  return undefined;
}

function expectedFrom(
  windows: readonly ChangeWindow[],
  number: number,
): ExpectedChange | undefined {
  const periodMs = averagePeriodMs(windows);
  for (const deviation of DEVIATIONS) {
    const deviationMs = deviation * periodMs;
    const [fromMs, toMs] = rangeOf(number, windows, deviationMs);
    if (fromMs > toMs || !Number.isFinite(toMs - fromMs)) continue;
    return { fromMs: fromMs - deviationMs, toMs: toMs + deviationMs, periodMs };
  }
  return undefined;
}

function averagePeriodMs(windows: readonly ChangeWindow[]): number {
  const [first, last] = [windows[0], windows.at(-1)];
  if (!first || !last) return 0;
  return (middleOf(last) - middleOf(first)) / Math.max(1, last.number - first.number);
}

export function middleOf({ afterMs, byMs }: ChangeWindow): number {
  return (afterMs + byMs) / 2;
}

/**
 * Regular times are a line over the number of the change, which passes through each window. A later
 * time is furthest ahead on a line from an earlier window's beginning to a later one's end, and
 * nearest from an end to a beginning. If no line passes, the nearest is behind the furthest.
 */
function rangeOf(
  number: number,
  windows: readonly ChangeWindow[],
  deviationMs: number,
): [fromMs: number, toMs: number] {
  let [fromMs, toMs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const earlier of windows) {
    for (const later of windows) {
      const apart = later.number - earlier.number;
      if (apart <= 0) continue;
      const extended = (startMs: number, endMs: number) =>
        endMs + ((endMs - startMs) / apart) * (number - later.number);
      fromMs = Math.max(fromMs, extended(earlier.byMs + deviationMs, later.afterMs - deviationMs));
      toMs = Math.min(toMs, extended(earlier.afterMs - deviationMs, later.byMs + deviationMs));
    }
  }
  return [fromMs, toMs];
}
